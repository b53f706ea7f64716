// Generation 6.6.7, versions 6.6.5 to 6.6.8: SysVersion in the login response.
#pragma once
#define SIM_VERSION "v6.6.7_20220613 16:29:31"
#define SIM_FACTORY_FLAGS 2
#define SIM_VTABLE 2
#define SIM_ID_BYTES 81
#define SIM_DEPTH_BYTES 584
#define SIM_LOGIN_REQUEST_BYTES 264
#define SIM_LOGIN_RESPONSE_BYTES 196
