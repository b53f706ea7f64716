// Generation 6.6.1, versions 6.6.1 to 6.6.4: price bands in the depth struct.
#pragma once
#define SIM_VERSION "v6.6.1_P1_20210406  9:27:14"
#define SIM_FACTORY_FLAGS 2
#define SIM_VTABLE 2
#define SIM_ID_BYTES 81
#define SIM_DEPTH_BYTES 584
#define SIM_LOGIN_REQUEST_BYTES 264
#define SIM_LOGIN_RESPONSE_BYTES 156
