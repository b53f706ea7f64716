/** Exit code and text of fronts whose port another program has; their parent knows what to do about it. */
export const portInUse = 'the port is in use';
