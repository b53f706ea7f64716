// Calls to the vendor's request class, of whichever generation. May throw whatever the vendor throws.
#pragma once

#include "vendor_abi.h"
#include "versions.h"

namespace qb {

class VendorApi {
 private:
  template <typename Call>
  auto with(Call &&call) const {
    return abi_ == Abi::year2013 ? call(*static_cast<vendor::Api2013 *>(object_))
                                 : call(*static_cast<vendor::Api *>(object_));
  }

 public:
  VendorApi() noexcept = default;
  VendorApi(void *object, Abi abi) noexcept : object_(object), abi_(abi) {}

  explicit operator bool() const noexcept { return object_ != nullptr; }

  void release() const {
    with([](auto &api) { api.Release(); });
  }
  void init() const {
    with([](auto &api) { api.Init(); });
  }
  const char *tradingDay() const {
    return with([](auto &api) { return api.GetTradingDay(); });
  }
  void registerFront(char *address) const {
    with([=](auto &api) { api.RegisterFront(address); });
  }
  void registerSpi(void *spi) const {
    with([=](auto &api) { api.RegisterSpi(spi); });
  }
  int subscribe(char **ids, int count) const {
    return with([=](auto &api) { return api.SubscribeMarketData(ids, count); });
  }
  int unsubscribe(char **ids, int count) const {
    return with([=](auto &api) { return api.UnSubscribeMarketData(ids, count); });
  }
  int login(void *request, int requestId) const {
    return with([=](auto &api) { return api.ReqUserLogin(request, requestId); });
  }

 private:
  void *object_ = nullptr;
  Abi abi_ = Abi::b;
};

}  // namespace qb
