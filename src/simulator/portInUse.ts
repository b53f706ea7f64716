/** What the fronts say of a port that another program has; their parent knows what to do about it. */
export const portInUse = 'the port is in use';
