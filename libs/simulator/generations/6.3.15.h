// Generation 6.3.15, versions 6.3.13 to 6.3.15: quote requests and ActionDay.
#pragma once
#define SIM_VERSION "v6.3.15_20190220 20:39:53"
#define SIM_FACTORY_FLAGS 2
#define SIM_VTABLE 1
#define SIM_ID_BYTES 31
#define SIM_DEPTH_BYTES 408
#define SIM_LOGIN_REQUEST_BYTES 228
#define SIM_LOGIN_RESPONSE_BYTES 156
