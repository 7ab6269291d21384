/** Swim lanes: one for each object, along the frames. */

/** Put the lanes in their place. */
export const mountLanes = () => {};
