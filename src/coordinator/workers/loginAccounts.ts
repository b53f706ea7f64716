import type { ConnectionConfig } from '../../config/gatewayConfig.js';
import { LoginPlaces } from './loginPlaces.js';

/** State shared by connections that log in with the same user and password at the same broker. */
export class LoginAccounts {
  readonly #places = new Map<string, SharedArrayBuffer>();

  /** Memory of LoginPlaces; undefined where no user is named, since nothing can be locked then. */
  placesOf({ brokerId, userId, password }: ConnectionConfig): SharedArrayBuffer | undefined {
    if (userId === '') return undefined;
    const account = JSON.stringify([brokerId, userId, password]);
    let places = this.#places.get(account);
    if (places === undefined) this.#places.set(account, (places = LoginPlaces.allocate()));
    return places;
  }

  /** Refusals so far of these accounts, named by their places, count no more. */
  forgetRefusals(of: ReadonlySet<SharedArrayBuffer | undefined>): void {
    for (const places of this.#places.values()) if (of.has(places)) new LoginPlaces(places).forget();
  }
}
