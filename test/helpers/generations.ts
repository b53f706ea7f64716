import { packagePath } from '../../src/base/paths.js';

/** Every generation of the vendor's library that differs in its interface, as the simulated library has it. */
export const generations = [
  '2013',
  '6.3.15',
  '6.3.19',
  '6.5.1',
  '6.6.1',
  '6.6.7',
  '6.6.9',
  '6.7.8',
  '6.7.11',
  '6.7.13',
];

/** The newest version whose library was verified (versions.cpp). */
export const newestVerified = generations.at(-1)!;

export function libraryOf(generation: string): string {
  return packagePath('libs', 'simulator', 'build', 'generations', generation, 'thostmduserapi_se.so');
}
