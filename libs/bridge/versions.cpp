#include "versions.h"

namespace qb {
namespace {

struct Group {
  Version from;
  Layout layout;
};

constexpr vendor::Text shortId{9, 31}, longId{401, 81}, shortAnswer{0, 31}, longAnswer{31, 81};

// Each group reaches to the next one's first version.
const Group groups[] = {
    {{6, 3, 0}, {Factory::bb, shortId, shortAnswer, true, false}},
    {{6, 5, 0}, {Factory::bb, longId, longAnswer, true, false}},
    {{6, 6, 1}, {Factory::bb, longId, longAnswer, true, true}},
    {{6, 7, 11}, {Factory::bbb, longId, longAnswer, true, true}},
};
const Layout layout2013{Factory::b, shortId, shortAnswer, false, false};
const Version newestVerified{6, 7, 13};

std::string textOf(const Version &version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." + std::to_string(version.patch);
}

std::string supported() { return "2013 and " + textOf(groups[0].from) + " to " + textOf(newestVerified) + " are"; }

const Layout *layoutOf(const SaidVersion &said) {
  if (said.isYear2013) return &layout2013;
  if (!said.text.found || said.text.version.major != 6) return nullptr;
  const Layout *found = nullptr;
  for (const Group &group : groups) {
    if (!(said.text.version < group.from)) found = &group.layout;
  }
  return found;
}

void add(std::string &warnings, const std::string &warning) {
  if (warning.empty()) return;
  if (!warnings.empty()) warnings += "; ";
  warnings += warning;
}

InterfaceChoice refused(const std::string &why) { return {nullptr, Abi::b, why, ""}; }

// With the callback order, which no version text overrules.
InterfaceChoice withOrder(const Layout *layout, const Exports &exports, const SaidVersion &said, std::string warnings,
                          const std::string &remedy) {
  const OrderChoice order = chooseOrder(exports, said);
  if (!order.known) return refused(order.text + remedy);
  add(warnings, order.text);
  // The ticks of that order end where later ones have their natural date.
  if (order.abi == Abi::year2013) layout = &layout2013;
  return {layout, order.abi, warnings, "callback order " + std::string(nameOf(order.abi)) + " by " + order.evidence};
}

// Where the user's word counts, the library's own is only repeated.
InterfaceChoice asAsserted(const std::string &says, const Exports &exports, const std::string &asserted) {
  const SaidVersion said{asserted == "2013", readVersionText(asserted)};
  const Layout *layout = layoutOf(said);
  if (layout == nullptr) return refused("ctp_version \"" + asserted + "\" is not supported: " + supported());
  std::string warnings = says + "; taken to be " + asserted + ", as ctp_version says";
  if (layout->factory != exports.factory) {
    warnings += std::string(", but it exports ") + nameOf(exports.factory) + ", which is called";
  }
  return withOrder(layout, exports, said, warnings, "");
}

}  // namespace

const char *nameOf(Factory factory) {
  switch (factory) {
    case Factory::b: return "CreateFtdcMdApi(path, udp)";
    case Factory::bb: return "CreateFtdcMdApi(path, udp, multicast)";
    case Factory::bbb: return "CreateFtdcMdApi(path, udp, multicast, production)";
    case Factory::none: break;
  }
  return "no factory";
}

InterfaceChoice chooseInterface(const char *versionText, const Exports &exports, const std::string &asserted) {
  const std::string text = versionText == nullptr ? "" : versionText;
  const std::string says = versionText == nullptr ? "it tells no version" : "it says \"" + text + "\"";
  if (exports.stockOptions) return refused("it is CTP for stock options, another product");
  if (const char *product = otherProduct(text); product != nullptr) {
    return refused("version \"" + text + "\" is " + product + ", another product; CTP's own thostmduserapi_se.so is needed");
  }
  if (exports.factory == Factory::none) return refused("it does not export CThostFtdcMdApi::CreateFtdcMdApi");
  if (const std::string why = whyNoOrder(exports); !why.empty()) return refused(why);
  if (!asserted.empty()) return asAsserted(says, exports, asserted);

  const std::string remedy = "; if you know which one it is like, say so with ctp_version";
  SaidVersion said{false, readVersionText(text)};
  std::string warnings;
  if (versionText == nullptr && exports.factory == Factory::b) {
    said.isYear2013 = true;
    warnings = says + ": taken to be of the 2013 generation, whose ticks have no natural date";
  } else if (!said.text.found) {
    const std::string what = versionText == nullptr ? says : "its version text \"" + text + "\" names no version";
    return refused(what + remedy);
  }
  const Layout *layout = layoutOf(said);
  if (layout == nullptr) return refused("version \"" + text + "\" is not supported: " + supported() + remedy);
  if (layout->factory != exports.factory) {
    return refused("version \"" + text + "\" should export " + nameOf(layout->factory) + " but exports " +
                   nameOf(exports.factory) + remedy);
  }
  if (!said.isYear2013 && newestVerified < said.text.version) {
    add(warnings, "version \"" + text + "\" is newer than " + textOf(newestVerified) + ", the newest one verified");
  }
  return withOrder(layout, exports, said, warnings, remedy);
}

}  // namespace qb
