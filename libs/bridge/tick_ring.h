// The writer of a tick ring: one vendor thread writes, any number of readers follow at their own pace.
//
//   byte 0      i32 magic, capacity (power of two), record bytes, header bytes
//        64     u32 claimed   number of the record being written, plus one
//        68     u32 head      records written
//        72     u32 ticks whose instrument has no slot
//        76     u32 callbacks that came with a null pointer
//        80     u32 number of the first record
//        84     i32 lossless  1: the writer waits while the ring is full
//        88     u32 taken     records that the reader has taken, in a lossless ring
//        92     u32 times that the writer gave up waiting
//        128    capacity records of 320 bytes; record n lies at n & (capacity - 1)
//
// All counters are 32 bits wide and wrap; only differences are compared.
//
// Order: claimed = n + 1, then the record, then head = n + 1. A reader copies record c and reads claimed
// afterwards: if claimed - c > capacity, a later record was already being written over it and the copy may be
// torn. The writer never waits, so a slow reader is lapped and counts what it missed (src/ring/tickRing.ts); but in a
// lossless ring, which has one reader, it has as many records ahead of that reader as the ring holds, and no more.
// x86-64 keeps stores in order and loads in order, so the fence below only binds the compiler; the vendor's
// library exists for x86-64 alone. The record is copied with relaxed atomic stores, which cost what plain ones do
// and leave no data race for the readers of a record that is being overwritten.
#pragma once

#include <time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tick_record.h"

#if !defined(__x86_64__)
#error "the tick ring relies on the memory order of x86-64"
#endif

namespace qb {

struct TickRingHeader {
  static constexpr std::int32_t expectedMagic = 0x6b636974;  // "tick"

  std::int32_t magic, capacity, recordBytes, headerBytes;
  std::int32_t unused1[12];
  std::atomic<std::uint32_t> claimed, head, unknownInstruments, nullPointers;
  std::uint32_t firstSequence;
  std::int32_t lossless;
  std::atomic<std::uint32_t> taken, gaveUp;
  std::int32_t unused2[8];
};
static_assert(sizeof(TickRingHeader) == 128);
static_assert(offsetof(TickRingHeader, claimed) == 64);
static_assert(offsetof(TickRingHeader, taken) == 88);
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

class TickRingWriter {
 public:
  // Takes over a ring that JS allocated and laid out. False if the memory is no such ring.
  bool attach(void *memory, std::size_t bytes) noexcept {
    if (memory == nullptr || bytes < sizeof(TickRingHeader)) return false;
    auto *header = static_cast<TickRingHeader *>(memory);
    const auto capacity = static_cast<std::uint32_t>(header->capacity);
    if (header->magic != TickRingHeader::expectedMagic || header->recordBytes != sizeof(TickRecord) ||
        header->headerBytes != sizeof(TickRingHeader) || capacity == 0 || (capacity & (capacity - 1)) != 0 ||
        bytes != sizeof(TickRingHeader) + std::size_t{capacity} * sizeof(TickRecord)) {
      return false;
    }
    header_ = header;
    words_ = reinterpret_cast<Word *>(static_cast<char *>(memory) + sizeof(TickRingHeader));
    mask_ = capacity - 1;
    lossless_ = header->lossless != 0;
    return true;
  }

  // To be called before write(): in a lossless ring, waits until the reader has made room. `closing` ends the wait, and so
  // does a reader that takes nothing for `longestWaitMs`: it is taken for dead, and not waited for until it moves.
  template <typename Closing>
  void waitForRoom(Closing &&closing) noexcept {
    if (!lossless_ || !isFull()) return;
    std::uint32_t taken = header_->taken.load(std::memory_order_acquire);
    if (gaveUp_ && taken == gaveUpAt_) return;
    for (int waitedUs = 0; isFull() && !closing();) {
      if (waitedUs >= longestWaitMs * 1000) {
        gaveUp_ = true;
        gaveUpAt_ = taken;
        header_->gaveUp.fetch_add(1, std::memory_order_relaxed);
        return;
      }
      const timespec pause{0, pauseUs * 1000};
      ::nanosleep(&pause, nullptr);
      const std::uint32_t now = header_->taken.load(std::memory_order_acquire);
      waitedUs = now == taken ? waitedUs + pauseUs : 0;
      taken = now;
    }
    gaveUp_ = false;
  }

  // Writes the next record, all of it but its sequence. The caller rings the doorbells afterwards.
  void write(TickRecord &record) noexcept {
    const std::uint32_t next = header_->head.load(std::memory_order_relaxed);
    record.sequence = next;
    header_->claimed.store(next + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    const auto *from = reinterpret_cast<const Word *>(&record);
    Word *to = words_ + std::size_t{next & mask_} * wordsPerRecord;
    for (std::size_t i = 0; i < wordsPerRecord; i++) __atomic_store_n(to + i, from[i], __ATOMIC_RELAXED);
    header_->head.store(next + 1, std::memory_order_release);
  }

  void countUnknownInstrument() noexcept {
    header_->unknownInstruments.fetch_add(1, std::memory_order_relaxed);
  }
  void countNullPointer() noexcept { header_->nullPointers.fetch_add(1, std::memory_order_relaxed); }

 private:
  // May stand for any part of a record.
  using Word = std::uint64_t __attribute__((may_alias));
  static constexpr std::size_t wordsPerRecord = sizeof(TickRecord) / sizeof(Word);
  // The pauses are longer than this by what the system adds, some 60 us each.
  static constexpr int longestWaitMs = 2000;
  static constexpr int pauseUs = 50;

  bool isFull() const noexcept {
    return header_->head.load(std::memory_order_relaxed) - header_->taken.load(std::memory_order_acquire) > mask_;
  }

  TickRingHeader *header_ = nullptr;
  Word *words_ = nullptr;
  std::uint32_t mask_ = 0;
  bool lossless_ = false;
  bool gaveUp_ = false;
  std::uint32_t gaveUpAt_ = 0;
};

}  // namespace qb
