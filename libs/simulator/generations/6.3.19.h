// Generation 6.3.19, versions 6.3.16 to 6.4: the multicast query, which moves slots.
#pragma once
#define SIM_VERSION "v6.3.19_P1_20200106 15:21:32"
#define SIM_FACTORY_FLAGS 2
#define SIM_VTABLE 2
#define SIM_ID_BYTES 31
#define SIM_DEPTH_BYTES 408
#define SIM_LOGIN_REQUEST_BYTES 228
#define SIM_LOGIN_RESPONSE_BYTES 156
