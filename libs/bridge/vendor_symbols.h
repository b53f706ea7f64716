// What a loaded library exports of the vendor's interface.
#pragma once

#include <string>

#include "file_identity.h"
#include "versions.h"

namespace qb {

struct VendorSymbols {
  Exports exports;
  void *create = nullptr;
  vendor::GetVersion getVersion = nullptr;
};

struct LoadedModule {
  void *handle = nullptr;  // null: see text
  std::string text;        // why it cannot be loaded, or a warning
};

// Loads a copy of the library, which nobody can overwrite, or the file itself where a copy cannot be loaded. It finds its
// own symbols first: Node exports thousands, all of OpenSSL's among them, which a library that brings its own OpenSSL
// would be bound to otherwise. `expected`: the file as it was when it was looked at.
LoadedModule loadLibrary(const std::string &path, const FileIdentity &expected);

VendorSymbols findSymbols(void *module);

// Calls the factory: TCP fronts only. May throw whatever the vendor throws.
void *callFactory(Factory factory, void *create, const char *flowPath, bool production);

}  // namespace qb
