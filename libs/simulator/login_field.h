// From a login's answer to the vendor's struct of the generation being built.
#pragma once
#include <cstdio>
#include <cstdlib>

#include "fixed_text.h"
#include "receiver.h"
#include "vendor_structs.h"

namespace sim {

inline constexpr char backEndVersion[] = "simulated back end 6.7.13";
inline constexpr char maxOrderRef[] = "1";
inline constexpr int dataCentre = 1;

/** HH:MM:SS some seconds later; anything else than a time is given back as it is. */
inline std::string later(std::string_view time, int seconds) {
    int hour = 0, minute = 0, second = 0;
    if (std::sscanf(std::string(time).c_str(), "%2d:%2d:%2d", &hour, &minute, &second) != 3) return std::string(time);
    const unsigned total = static_cast<unsigned>(hour * 3600 + minute * 60 + second + seconds) % 86400;
    char text[16];
    std::snprintf(text, sizeof text, "%02u:%02u:%02u", total / 3600, total / 60 % 60, total % 60);
    return text;
}

/** `field` is all zero. The exchanges' clocks differ by whole seconds, as they do, each by another number. */
inline void fillLogin(const LoginAnswer& login, CThostFtdcRspUserLoginField& field) {
    copyText(field.TradingDay, login.tradingDay);
    copyText(field.LoginTime, login.loginTime);
    copyText(field.BrokerID, login.brokerId);
    copyText(field.UserID, login.userId);
    copyText(field.SystemName, login.systemName);
    field.FrontID = login.frontId;
    field.SessionID = login.sessionId;
    copyText(field.MaxOrderRef, maxOrderRef);
    copyText(field.SHFETime, later(login.loginTime, 0));
    copyText(field.DCETime, later(login.loginTime, 1));
    copyText(field.CZCETime, later(login.loginTime, 2));
    copyText(field.FFEXTime, later(login.loginTime, 3));
#if SIM_LOGIN_RESPONSE_BYTES >= 156
    copyText(field.INETime, later(login.loginTime, 4));
#endif
#if SIM_LOGIN_RESPONSE_BYTES >= 196
    copyText(field.SysVersion, backEndVersion);
#endif
#if SIM_LOGIN_RESPONSE_BYTES >= 204
    copyText(field.GFEXTime, later(login.loginTime, 5));
#endif
#if SIM_LOGIN_RESPONSE_BYTES >= 212
    field.LoginDRIdentityID = dataCentre;
    field.UserDRIdentityID = dataCentre;
#endif
#if SIM_LOGIN_RESPONSE_BYTES >= 296
    copyText(field.LastLoginTime, login.lastLoginTime);
#endif
}

}  // namespace sim
