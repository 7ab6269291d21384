/** The frame, its masks, and what is drawn on them. */

/** Put the stage in its place. */
export const mountStage = () => {};
