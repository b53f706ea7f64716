#pragma once

#include <string>

#include "vendor_api.h"
#include "versions.h"

namespace qb {

// What the user says about a library.
struct LibraryOptions {
  std::string version;     // empty: as it says itself
  bool production = true;  // false: for evaluation back ends; only the newest generation can choose
};

// One vendor library under one set of options, opened once per process and never closed.
struct Library {
  std::string path;  // resolved
  LibraryOptions options;
  std::string version;
  std::string warning;  // empty if the version is a verified one
  const Layout *layout = nullptr;
  Abi abi = Abi::b;
  Factory factory = Factory::none;
  void *create = nullptr;

  // An empty one if the library gives none. May throw whatever the vendor throws.
  VendorApi createApi(const char *flowPath) const;
};

// What can be said of a library without a session.
struct LibraryFacts {
  bool loaded = false;
  bool tellsVersion = false;
  std::string version;
  Exports exports;
  InterfaceChoice choice;
  void *create = nullptr;
  std::string refusal;  // why it cannot be used; empty if it can
  std::string warning;
};

// Starts the trial of the library at this path if it needs one. True while openLibrary() would have to wait for it.
bool libraryUnderTrial(const char *path);
// The library at this path, opened on first use. Null with the reason in `error`.
const Library *openLibrary(const char *path, const LibraryOptions &options, std::string &error, int &handle);
const Library *libraryAt(int handle);

// Loads the library into this process without a trial: for a process that may crash of it.
LibraryFacts examineLibrary(const char *path, const std::string &assertedVersion);

}  // namespace qb
