// Generation 6.7.11, versions 6.7.11 to 6.7.12: production mode in the factory, LastLoginTime in the login response.
#pragma once
#define SIM_VERSION "v6.7.11_20250617 16:22:00.10369"
#define SIM_FACTORY_FLAGS 3
#define SIM_VTABLE 2
#define SIM_ID_BYTES 81
#define SIM_DEPTH_BYTES 584
#define SIM_LOGIN_REQUEST_BYTES 264
#define SIM_LOGIN_RESPONSE_BYTES 296
