// Generation 6.7.8, versions 6.7.8 to 6.7.10: identities of the data centres in the login response.
#pragma once
#define SIM_VERSION "v6.7.8_20240918 14:34:34.8082"
#define SIM_FACTORY_FLAGS 2
#define SIM_VTABLE 2
#define SIM_ID_BYTES 81
#define SIM_DEPTH_BYTES 584
#define SIM_LOGIN_REQUEST_BYTES 264
#define SIM_LOGIN_RESPONSE_BYTES 212
