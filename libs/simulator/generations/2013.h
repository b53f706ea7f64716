// Generation 2013: the oldest one: no version to ask for, no quote requests, no ActionDay.
#pragma once
#define SIM_FACTORY_FLAGS 1
#define SIM_VTABLE 0
#define SIM_ID_BYTES 31
#define SIM_DEPTH_BYTES 392
#define SIM_LOGIN_REQUEST_BYTES 188
#define SIM_LOGIN_RESPONSE_BYTES 148
