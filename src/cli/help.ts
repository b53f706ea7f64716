import { logLevels } from '../config/options.js';
import { strategies } from '../config/options.js';

/** The answer to --help. */
export const helpText = `Usage: qactpmdgateway [options]

Market-data gateway: many CTP front connections in, WebSocket ticks out.
Without --config and --front-addr it runs on the bundled simulated exchange.

Running
  --config FILE             JSON configuration; environment and command line win over it
  --port N                  port for WebSocket and HTTP (default 7799, 0 takes any free one)
  --front-addr A            one connection to this front, in place of the file's connections:
                            tcp://host:port, again for the same broker's other fronts, or
                            sim:// for ticks without any front. A real front needs the
                            vendor's library: QACTPMD_CTP_LIBRARY=FILE
  --broker-id B             BrokerID of that connection (default: empty, which most take)
  --strategy S              ${strategies.join(', ')}
  --log-level L             ${logLevels.join(', ')}
  --profile                 open a Unix socket that hands out CPU profiles and heap snapshots

Asking
  --status                  print the connections of the gateway that runs on this machine;
                            with --config or --port to find it
  --json                    with --status: its report as JSON
  --import-brokers FILE     turn a futures terminal's broker.xml into a configuration
  --output FILE             where to write it, a new file (default: standard output)
  -h, --help                this text
  -v, --version             the version

Exporting recordings: qactpmdgateway export FILE... --output FILE
  --format F                csv or parquet (default: as the output's name ends)
  --output FILE             where to write the ticks, a new file
  --instrument PATTERN      only these, such as rb* or SHFE.*, again for more (default: all)
  --from T, --to T          only what was received from T on, and before T: 2026-11-24T21:00
                            in Shanghai, with another zone, a day, or an epoch
  --config FILE             the gateway's configuration, for its products_file, calendar_file,
                            import_instruments and trading_hours; their variables count as well
  --trading-hours H         whose calendar the ticks have: exchange, or always for simulated
                            fronts that send on weekends too (default: the configuration's)

Checking a vendor library: qactpmdgateway check-library FILE
  says what it is, and drives it through all that fronts do, in processes of its own; it
  dials this machine alone, and the front that is named
  --front-addr A            also log in there, subscribe and wait for a tick; again for more
  --broker-id B, --user-id U, --password-env NAME
                            the login; NAME is the environment variable of the password
  --instrument ID           what to subscribe (default: contracts of rb, m, TA and IF)
  --ctp-version V           as ctp_version in the configuration
  --evaluation              for the broker's evaluation fronts, as production_mode false
  --json                    the report as JSON

Exit codes
  running           0 stopped in order, 1 bad configuration or a failed stop, 2 bad command line
  --status          0 healthy, 1 degraded or unhealthy, 2 no answer or bad command line
  export            0 written, 1 unusable input or output, 2 bad command line
  check-library     0 usable, 1 unusable, 3 usable with a trouble, 2 bad command line
  --import-brokers  0 written, 1 unusable input or output, 2 bad command line

Every configuration key has an environment variable: QACTPMD_ and the key in upper case,
such as QACTPMD_WEBSOCKET_PORT; QACTPMD_CONNECTIONS takes the list of connections as JSON.
`;
