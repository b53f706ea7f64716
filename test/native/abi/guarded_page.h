// Memory that ends where a page without access begins: reading or writing one byte too many ends the process.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>

namespace abi {

class GuardedPage {
public:
    /** `bytes` zeros. Alignment is whatever the end of the page leaves; the vendor's structs end aligned. */
    explicit GuardedPage(size_t bytes) {
        const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
        const size_t used = (bytes + page - 1) / page * page;
        mapped_ = used + page;
        void* memory = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) std::abort();
        start_ = static_cast<char*>(memory);
        if (mprotect(start_ + used, page, PROT_NONE) != 0) std::abort();
        data_ = start_ + used - bytes;
    }
    ~GuardedPage() { munmap(start_, mapped_); }
    GuardedPage(const GuardedPage&) = delete;
    GuardedPage& operator=(const GuardedPage&) = delete;

    char* data() { return data_; }

private:
    char* start_;
    char* data_;
    size_t mapped_;
};

}  // namespace abi
