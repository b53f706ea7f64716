// Generation 6.5.1, versions 6.5.0 to 6.6.0: ids of up to 80 characters.
#pragma once
#define SIM_VERSION "v6.5.1_20200908 10:25:08"
#define SIM_FACTORY_FLAGS 2
#define SIM_VTABLE 2
#define SIM_ID_BYTES 81
#define SIM_DEPTH_BYTES 568
#define SIM_LOGIN_REQUEST_BYTES 264
#define SIM_LOGIN_RESPONSE_BYTES 156
