// Several workers write, read, truncate, clone and flush the same files. Each history is checked:
// a value read was written, not before an acknowledged one, and never half.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/file_fixture.h"
#include "tests/support/race.h"

namespace outcrop::ns {
namespace {

constexpr unsigned kThreads = 3;
constexpr unsigned kTasks = 4;
constexpr unsigned kSlots = kThreads * kTasks;  // one per task, which alone writes it
constexpr std::size_t kSlotBytes = 40'000;      // of the value's eight bytes, over and over

NamespaceConfig config() {
  NamespaceConfig out;
  out.object_cache_bytes = 1 << 20;
  out.write_buffer_bytes = 1 << 20;
  return out;
}

class FileRace : public testing::Test, protected test::FileFixture {
 protected:
  FileRace() : FileFixture(config(), 3) {}
  ~FileRace() override {
    must(fs().flush_idle(INT64_MAX));
    expect_clean();
    blobs.collect();
  }
  static std::string slot_of(std::uint64_t value) {
    std::string out(kSlotBytes, '\0');
    for (std::size_t i = 0; i < kSlotBytes; i += sizeof value) {
      std::memcpy(out.data() + i, &value, sizeof value);
    }
    return out;
  }
  /// The value that fills the slot; what is not there is zeros.
  static std::uint64_t value_in(std::string_view content, unsigned slot) {
    std::string bytes(kSlotBytes, '\0');
    if (slot * kSlotBytes < content.size()) {
      const std::string_view part = content.substr(slot * kSlotBytes, kSlotBytes);
      bytes.replace(0, part.size(), part);
    }
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    EXPECT_TRUE(test::same(bytes, slot_of(value)));
    return value;
  }
  /// What compaction does, now and then; one at a time.
  Task<> relocate_some(std::size_t which) {
    const auto segments = blobs.old_segments();
    if (which % 8 == 0 && !segments.empty() && !x_relocating.exchange(true)) {
      const auto moved = co_await ns->relocate(segments[which / 8 % segments.size()], 200'000,
                                               segment::Purpose::upkeep);
      x_relocating = false;
      CO_TRYV(moved);
    }
    co_return ok();
  }
  Task<> write_slot(FileId id, unsigned slot, std::uint64_t value, bool stable) {
    const std::string data = slot_of(value);
    CO_TRYV(co_await fs().write(id, slot * kSlotBytes, {Buffer::copy_of(as_bytes(data))}, stable));
    co_return ok();
  }

 private:
  std::atomic<bool> x_relocating{false};
};

// Registers: readers of both protocols see numbers that never go back.
TEST_F(FileRace, ReadsNeverGoBack) {
  const FileId id = file("f"), copy = file("copy");
  std::array<std::atomic<std::uint64_t>, kSlots> acked{};
  const auto check = [&](std::string_view content, std::span<const std::uint64_t> floors) {
    for (unsigned slot = 0; slot < kSlots; ++slot) {
      EXPECT_GE(value_in(content, slot), floors[slot]);
    }
  };
  const auto floors_now = [&] {
    std::array<std::uint64_t, kSlots> out{};
    std::ranges::copy(acked, out.begin());
    return out;
  };
  const auto body = [&](unsigned task) -> Task<> {
    std::mt19937 random(task);
    std::uint64_t value = 0, size = 0, change = 0;
    std::string copied;
    for (int i = 0; i < 60; ++i) {
      const auto floors = floors_now();
      CO_TRYV(co_await relocate_some(random()));
      switch (random() % 8) {
        case 0:
        case 1:
        case 2: {
          CO_TRYV(co_await write_slot(id, task, ++value, random() % 3 == 0));
          acked[task] = value;
          break;
        }
        case 3: {
          CO_TRY(const std::string content, co_await read_task(id, 0, UINT64_MAX));
          check(content, floors);
          break;
        }
        case 4: {
          CO_TRY(const std::string content, co_await get_task("b", "f"));
          check(content, floors);
          break;
        }
        case 5: {
          CO_TRY(const FileAttributes a, co_await fs().commit(id));
          EXPECT_GE(a.size, size);
          EXPECT_GE(a.change, change);
          size = a.size;
          change = a.change;
          break;
        }
        case 6: {
          CO_TRYV(co_await fs().clone(id, 0, copy, 0, 0));
          CO_TRY(copied, co_await read_task(copy, 0, UINT64_MAX));
          check(copied, floors);
          break;
        }
        default: {
          CO_TRY(const ListPage page, co_await ns->list("b", {}));
          for (const ListEntry& entry : page.entries) {
            if (entry.key == "f") {
              EXPECT_GE(entry.size, size);
              size = std::max(size, entry.size);
            }
          }
          blobs.collect();
        }
      }
    }
    co_return ok();
  };
  test::run_race(kThreads, kTasks, body);
}

// Everything at once: nothing fails that must not, and what is read is a value or zeros.
TEST_F(FileRace, TruncationsHolesAndReplacements) {
  FileId id = file("f");
  std::mutex mutex;
  const auto current = [&] {
    const std::lock_guard lock(mutex);
    return id;
  };
  const auto body = [&](unsigned task) -> Task<> {
    std::mt19937 random(task);
    // Stale: it was replaced meanwhile.
    const auto mind = [](const auto& result) -> Result<void> {
      return result || result.error().code() == Errc::stale ? ok() : fail(result.error());
    };
    for (std::uint64_t i = 1; i <= 60; ++i) {
      const FileId now = current();
      SetAttributes set;
      switch (random() % 8) {
        case 0:
        case 1:
        case 2: {
          CO_TRYV(mind(co_await write_slot(now, random() % kSlots, task * 1000 + i, false)));
          break;
        }
        case 3: {
          set.size = random() % kSlots * kSlotBytes;
          CO_TRYV(mind(co_await fs().set_attributes(now, set, {})));
          break;
        }
        case 4: {
          CO_TRYV(mind(co_await fs().deallocate(now, random() % kSlots * kSlotBytes, kSlotBytes)));
          break;
        }
        case 5: {
          const auto content = co_await read_task(now, 0, kMaxWriteBytes);
          CO_TRYV(mind(content));
          for (unsigned slot = 0; content && slot < kSlots; ++slot) {
            value_in(*content, slot);
          }
          break;
        }
        case 6: {
          CO_TRYV(mind(co_await fs().commit(now)));
          break;
        }
        default: {
          if (random() % 4 == 0) {
            CO_TRY(const ObjectInfo info, co_await put_task("b", "f", slot_of(task * 1000 + i)));
            const std::lock_guard lock(mutex);
            id.ino = info.ino;
          } else {
            CO_TRY(const std::string content, co_await get_task("b", "f"));
            for (unsigned slot = 0; slot < kSlots; ++slot) {
              value_in(content, slot);
            }
          }
        }
      }
    }
    co_return ok();
  };
  test::run_race(kThreads, kTasks, body);
}

// Stable writers of one file share flushes: far fewer transactions than writes.
TEST_F(FileRace, StableWritersShareFlushes) {
  const FileId id = file("f");
  const std::uint64_t before = meta.commits();
  const auto body = [&](unsigned task) -> Task<> {
    for (std::uint64_t i = 1; i <= 30; ++i) {
      CO_TRYV(co_await write_slot(id, task, i, true));
    }
    co_return ok();
  };
  test::run_race(1, kSlots, body);
  EXPECT_LT(meta.commits() - before, 30 * kSlots / 2);
  const std::string content = read(id);
  for (unsigned slot = 0; slot < kSlots; ++slot) {
    EXPECT_EQ(value_in(content, slot), 30U);
  }
}

}  // namespace
}  // namespace outcrop::ns
