// Generation 6.6.9, versions 6.6.9 to 6.7.7: GFEXTime in the login response.
#pragma once
#define SIM_VERSION "v6.6.9_20220920 14:17:53"
#define SIM_FACTORY_FLAGS 2
#define SIM_VTABLE 2
#define SIM_ID_BYTES 81
#define SIM_DEPTH_BYTES 584
#define SIM_LOGIN_REQUEST_BYTES 264
#define SIM_LOGIN_RESPONSE_BYTES 204
