/** ms by which Shanghai's clocks, which know no summer time, are ahead of UTC. */
export const shanghaiOffsetMs = 8 * 3_600_000;
export const dayMs = 86_400_000;
