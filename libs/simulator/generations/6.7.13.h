// Generation 6.7.13, versions 6.7.13 and later: SMSCode in the login request.
#pragma once
#define SIM_VERSION "v6.7.13_20260225 14:16:30.12079"
#define SIM_FACTORY_FLAGS 3
#define SIM_VTABLE 2
#define SIM_ID_BYTES 81
#define SIM_DEPTH_BYTES 584
#define SIM_LOGIN_REQUEST_BYTES 280
#define SIM_LOGIN_RESPONSE_BYTES 296
