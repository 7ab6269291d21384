/** The panels around the stage, each in its region of the page. */

/** Put every panel in its place. */
export const mountPanels = () => {};
