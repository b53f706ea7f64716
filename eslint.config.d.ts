import type { Linter } from 'eslint';

/** Folders of the sources, the lowest floor first. */
export declare const floors: readonly (readonly string[])[];
declare const config: Linter.Config[];
export default config;
