import { buildAbi } from './native/abiClient.js';
import { builtNative } from './native/nativeBuild.js';

/** Before any test, so that the first to need a native part does not spend its time on building all of them. */
export async function setup(): Promise<void> {
  builtNative('fake_newest');
  await buildAbi();
}
