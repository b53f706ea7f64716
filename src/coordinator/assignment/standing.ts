/**
 * What is known of an instrument that somebody wants, from the least to the most. `conceivable`: its id has a form that an
 * exchange could use, no more, so it is *unproven*; `listed`: by rule, found, imported or named in the configuration;
 * `ticked`: a tick of it has come since the gateway started, or is stored.
 */
export const Standing = { conceivable: 0, listed: 1, ticked: 2 } as const;

export type Standing = (typeof Standing)[keyof typeof Standing];
