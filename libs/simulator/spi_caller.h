// Turns what a session tells into calls of the vendor's Spi, with the structs of the generation being built.
//
// RegisterSpi only stores a pointer, so a callback that has already begun may still run when RegisterSpi(NULL)
// returns: the Spi must outlive Release.
#pragma once
#include <atomic>

#include "depth_field.h"
#include "handed_out.h"
#include "login_field.h"
#include "receiver.h"
#include "vendor_api.h"

namespace sim {

class SpiCaller final : public Receiver {
public:
    void setSpi(CThostFtdcMdSpi* spi) { spi_.store(spi); }

    void connected() override {
        if (CThostFtdcMdSpi* spi = spi_.load()) spi->OnFrontConnected();
    }
    void disconnected(int reason) override {
        if (CThostFtdcMdSpi* spi = spi_.load()) spi->OnFrontDisconnected(reason);
    }
    /** Only the library of 2013 tells a Spi that is still registered of it. */
    void released() override {
#if SIM_VTABLE == 0
        disconnected(0);
#endif
    }

    void login(const LoginAnswer& login, const Result& result) override {
        CThostFtdcMdSpi* spi = spi_.load();
        if (spi == nullptr) return;
        auto& field = login_.fresh();
        fillLogin(login, field);
        spi->OnRspUserLogin(&field, &fill(result), result.requestId, result.last);
        login_.expire();
        info_.expire();
    }

    void logout(std::string_view brokerId, std::string_view userId, const Result& result) override {
        CThostFtdcMdSpi* spi = spi_.load();
        if (spi == nullptr) return;
        auto& field = logout_.fresh();
        copyText(field.BrokerID, brokerId);
        copyText(field.UserID, userId);
        spi->OnRspUserLogout(&field, &fill(result), result.requestId, result.last);
        logout_.expire();
        info_.expire();
    }

    void instrument(wire::Type type, std::string_view id, const Result& result) override {
        CThostFtdcMdSpi* spi = spi_.load();
        if (spi == nullptr) return;
        auto& field = instrument_.fresh();
        copyText(field.InstrumentID, id);
        auto& info = fill(result);
        switch (type) {
            case wire::Type::subscribeResponse:
                spi->OnRspSubMarketData(&field, &info, result.requestId, result.last);
                break;
            case wire::Type::unsubscribeResponse:
                spi->OnRspUnSubMarketData(&field, &info, result.requestId, result.last);
                break;
#if SIM_VTABLE >= 1
            case wire::Type::subscribeForQuoteResponse:
                spi->OnRspSubForQuoteRsp(&field, &info, result.requestId, result.last);
                break;
            case wire::Type::unsubscribeForQuoteResponse:
                spi->OnRspUnSubForQuoteRsp(&field, &info, result.requestId, result.last);
                break;
#endif
            default: break;   // of a kind that this generation does not know
        }
        instrument_.expire();
        info_.expire();
    }

    void error(const Result& result) override {
        CThostFtdcMdSpi* spi = spi_.load();
        if (spi == nullptr) return;
        spi->OnRspError(&fill(result), result.requestId, result.last);
        info_.expire();
    }

    void tick(const Tick& tick, std::string_view id) override {
        CThostFtdcMdSpi* spi = spi_.load();
        if (spi == nullptr) return;
        auto& depth = depth_.fresh();
        fillDepth(tick, id, depth);
        spi->OnRtnDepthMarketData(&depth);
        depth_.expire();
    }

    void quoteRequest([[maybe_unused]] const QuoteRequest& request) override {
#if SIM_VTABLE >= 1
        CThostFtdcMdSpi* spi = spi_.load();
        if (spi == nullptr) return;
        auto& field = quoteRequest_.fresh();
        copyText(field.TradingDay, request.tradingDay);
        copyText(field.InstrumentID, request.instrumentId);
        copyText(field.ForQuoteSysID, request.quoteId);
        copyText(field.ForQuoteTime, request.time);
        copyText(field.ActionDay, request.actionDay);
        spi->OnRtnForQuoteRsp(&field);
        quoteRequest_.expire();
#endif
    }

private:
    CThostFtdcRspInfoField& fill(const Result& result) {
        auto& info = info_.fresh();
        info.ErrorID = result.errorId;
        copyText(info.ErrorMsg, result.text);
        return info;
    }

    std::atomic<CThostFtdcMdSpi*> spi_{nullptr};
    HandedOut<CThostFtdcDepthMarketDataField> depth_;
    HandedOut<CThostFtdcRspUserLoginField> login_;
    HandedOut<CThostFtdcUserLogoutField> logout_;
    HandedOut<CThostFtdcSpecificInstrumentField> instrument_;
    HandedOut<CThostFtdcRspInfoField> info_;
#if SIM_VTABLE >= 1
    HandedOut<CThostFtdcForQuoteRspField> quoteRequest_;
#endif
};

}  // namespace sim
