// Loaded before the gateway by `--slow ring`: it wakes up late when a bridge rings.
import { Doorbell } from '../../src/ring/doorbell.js';
import { spin } from './spin.js';

const lateMs = 3;
type Listen = (this: unknown, onRing: () => void) => void;

const listen: Listen = Reflect.get<Doorbell, 'listen'>(Doorbell.prototype, 'listen');
Reflect.set(Doorbell.prototype, 'listen', function slow(this: unknown, onRing: () => void): void {
  listen.call(this, () => {
    spin(lateMs);
    onRing();
  });
});
