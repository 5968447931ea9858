// Written bytes in memory: newest wins, memory is accounted for, flushes and truncations meet.
#include <gtest/gtest.h>

#include <string>

#include "storage/base/random.h"
#include "storage/ns/dirty_file.h"
#include "tests/support/mem_meta_store.h"

namespace outcrop::ns {
namespace {

std::string bytes_of(std::uint64_t seed, std::size_t n) {
  std::string out(n, '\0');
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = static_cast<char>('a' + (seed * 7 + i) % 26);
  }
  return out;
}

/// What the runs say of a file of '.'.
std::string render(const std::vector<PlacedBytes>& bytes, std::size_t size) {
  std::string out(size, '.');
  std::uint64_t last = 0;
  for (const PlacedBytes& b : bytes) {
    EXPECT_GE(b.offset, last);
    EXPECT_GT(b.data.size(), 0U);
    last = b.end();
    out.replace(b.offset, b.data.size(), as_text(b.data.view()));
  }
  return out;
}

std::string render(const DirtyRuns& runs, std::size_t size) {
  std::vector<PlacedBytes> bytes;
  runs.collect(0, size, bytes);
  return render(bytes, size);
}

struct Budget {
  std::shared_ptr<WriteBudget> shared = std::make_shared<WriteBudget>(1 << 20);
};

TEST(DirtyRuns, RandomWritesAgreeWithFlatModel) {
  constexpr std::size_t kSize = 400;
  SeededRandom random(9);
  const Budget budget;
  DirtyRuns runs, older;
  std::string model(kSize, '.'), older_model(kSize, '.');
  for (std::uint64_t step = 0; step < 5000; ++step) {
    const std::uint64_t offset = random.next() % 300, length = 1 + random.next() % 100;
    switch (random.next() % 8) {
      case 0:
        runs.cut(offset, offset + length);
        model.replace(offset, length, std::string(length, '.'));
        break;
      case 1:
        older.write(offset, Buffer::copy_of(as_bytes(bytes_of(step, length))), budget.shared);
        older_model.replace(offset, length, bytes_of(step, length));
        break;
      case 2:
        if (random.next() % 10 == 0) {
          runs.put_below(older);
          EXPECT_TRUE(older.empty());
          EXPECT_EQ(older.bytes(), 0U);
          for (std::size_t i = 0; i < kSize; ++i) {
            model[i] = model[i] == '.' ? older_model[i] : model[i];
          }
          older_model.assign(kSize, '.');
        }
        break;
      default: {
        // A share of a larger block, which must be copied, or a block of its own.
        const std::string data = bytes_of(step, length);
        const Buffer whole = Buffer::make(random.next() % 2 == 0 ? 1 << 20 : length);
        std::memcpy(whole.data(), data.data(), length);
        runs.write(offset, whole.slice(0, length), budget.shared);
        model.replace(offset, length, data);
      }
    }
    ASSERT_EQ(render(runs, kSize), model) << step;
    EXPECT_EQ(runs.bytes(), static_cast<std::uint64_t>(
                                std::ranges::count_if(model, [](char c) { return c != '.'; })));
    std::vector<PlacedBytes> top, bottom;
    runs.collect(0, kSize, top);
    older.collect(0, kSize, bottom);
    std::string both = model;
    for (std::size_t i = 0; i < kSize; ++i) {
      both[i] = both[i] == '.' ? older_model[i] : both[i];
    }
    ASSERT_EQ(render(overlay(top, bottom), kSize), both);
    for (const bool written : {true, false}) {
      const std::size_t found =
          model.find_first_of(written ? "abcdefghijklmnopqrstuvwxyz" : ".", offset);
      EXPECT_EQ(runs.next(offset, written), found == model.npos ? UINT64_MAX : found);
    }
  }
  runs = {};
  older = {};
  EXPECT_EQ(budget.shared->used(), 0U);
}

TEST(DirtyRuns, MemoryThatIsKeptAliveIsWhatIsCharged) {
  const std::size_t before = buffer_bytes_in_use();
  const Budget budget;
  DirtyRuns runs;
  {
    const Buffer record = Buffer::make(1 << 20);
    for (std::uint64_t i = 0; i < 50; ++i) {
      runs.write(i * 10'000, record.slice(i * 4096, 4096), budget.shared);
    }
    runs.write(1'000'000, record.slice(1 << 18, 700'000), budget.shared);  // kept as a share
  }
  EXPECT_EQ(budget.shared->used(), buffer_bytes_in_use() - before + 51 * kRunOverhead);
  EXPECT_EQ(runs.count(), 51U);
  runs.cut(1'000'000, 1'000'001);  // its tail still keeps the block
  EXPECT_EQ(budget.shared->used(), buffer_bytes_in_use() - before + 51 * kRunOverhead);
  runs.cut(1'000'000, 2'000'000);
  EXPECT_EQ(budget.shared->used(), 50 * (4096 + kRunOverhead));
}

TEST(DirtyRuns, SmallAppendsShareABlock) {
  const Budget budget;
  DirtyRuns runs;
  std::string model;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const std::string line = bytes_of(i, 1 + i % 60);
    runs.write(model.size(), Buffer::copy_of(as_bytes(line)), budget.shared);
    model += line;
  }
  EXPECT_EQ(render(runs, model.size()), model);
  EXPECT_LE(runs.count(), 3U);
  EXPECT_LE(budget.shared->used(), 3 * (70'000 + kRunOverhead));
}

struct FileFixture : testing::Test {
  test::MemMetaStore meta;
  ChangeCounter changes{meta};
  DirtyTable table{1 << 20, changes};

  DirtyFile::Written write(DirtyFile& file, std::uint64_t offset, std::string_view data) {
    std::vector<Buffer> buffers{Buffer::copy_of(as_bytes(data))};
    DirtyFile::Write write{.offset = offset, .data = buffers, .wall_ns = 5, .steady_ns = 7};
    return file.write(write);
  }
  std::string content(std::size_t size) { return render(table.view(1, 0, size).bytes, size); }
};
using DirtyFileTest = FileFixture;

TEST_F(DirtyFileTest, FlushTakesWhatWasWrittenBefore) {
  const DirtyFilePtr file = table.open(1);
  EXPECT_TRUE(table.any());
  EXPECT_EQ(write(*file, 0, "aaaa"), DirtyFile::Written::done);
  ASSERT_EQ(file->enter_flush(file->written()), DirtyFile::Entry::mine);
  const DirtyFile::Snapshot snapshot = file->begin_flush();
  EXPECT_EQ(snapshot.change, 1U);
  EXPECT_EQ(render(snapshot.bytes, 4), "aaaa");
  write(*file, 2, "bb");
  EXPECT_EQ(content(5), "aabb.");
  const std::uint64_t target = file->written();
  EXPECT_EQ(file->enter_flush(target), DirtyFile::Entry::wait);
  file->end_flush(ok());
  EXPECT_EQ(content(5), "..bb.");
  ASSERT_EQ(file->enter_flush(target), DirtyFile::Entry::mine);
  file->begin_flush();
  file->end_flush(ok());
  EXPECT_EQ(file->enter_flush(target), DirtyFile::Entry::clean);
  table.retire(file);
  EXPECT_FALSE(table.any());
  EXPECT_EQ(write(*file, 0, "x"), DirtyFile::Written::retired);
  EXPECT_EQ(table.budget().used(), 0U);
}

TEST_F(DirtyFileTest, FailedFlushKeepsItsBytesBelowNewerOnes) {
  const DirtyFilePtr file = table.open(1);
  write(*file, 0, "aaaa");
  ASSERT_EQ(file->enter_flush(1), DirtyFile::Entry::mine);
  file->begin_flush();
  write(*file, 2, "bbbb");
  file->end_flush(fail(Errc::no_space));
  EXPECT_EQ(content(6), "aabbbb");
  EXPECT_EQ(file->since_ns(), 0);
  EXPECT_EQ(file->enter_flush(1), DirtyFile::Entry::mine);
  file->end_flush(ok());
}

TEST_F(DirtyFileTest, WaitersLearnOfTheFlushThatTookTheirs) {
  const DirtyFilePtr file = table.open(1);
  asio::io_context io(1);
  write(*file, 0, "a");
  ASSERT_EQ(file->enter_flush(1), DirtyFile::Entry::mine);
  file->begin_flush();
  write(*file, 0, "b");
  std::vector<Result<void>> results(2);
  for (std::uint64_t i = 0; i < 2; ++i) {
    asio::co_spawn(io,
                   suspend<void>([&, i](Resume<void> r) { file->wait_flush(i + 1, std::move(r)); }),
                   [&, i](std::exception_ptr, Result<void> r) { results[i] = r; });
  }
  io.poll();
  file->end_flush(fail(Errc::no_space));
  io.run();
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().code(), Errc::no_space);
  EXPECT_TRUE(results[1]);  // it was not in that flush: look again
}

TEST_F(DirtyFileTest, TruncationCutsAlsoWhatIsBeingFlushed) {
  const DirtyFilePtr file = table.open(1);
  write(*file, 0, "aaaa");
  ASSERT_EQ(file->enter_flush(1), DirtyFile::Entry::mine);
  file->begin_flush();
  write(*file, 6, "bb");
  const std::uint64_t epoch = table.view(1).epoch;
  {
    const GateHold gate = table.close_gate(1);
    EXPECT_TRUE(table.view(1).gated);
    EXPECT_EQ(write(*file, 0, "x"), DirtyFile::Written::gated);
    gate.file().truncate(3);
  }
  EXPECT_FALSE(table.view(1).gated);
  EXPECT_NE(table.view(1).epoch, epoch);
  EXPECT_EQ(table.view(1).end, 3U);
  EXPECT_EQ(render(file->flushing(), 8), "aaa.....");
  EXPECT_EQ(content(8), "aaa.....");
  file->end_flush(ok());
  EXPECT_FALSE(table.view(1).dirty);
}

TEST_F(DirtyFileTest, NextWrittenSeesBothGenerations) {
  const DirtyFilePtr file = table.open(1);
  write(*file, 10, "aaaa");
  ASSERT_EQ(file->enter_flush(1), DirtyFile::Entry::mine);
  file->begin_flush();
  write(*file, 14, "bb");
  write(*file, 20, "c");
  EXPECT_EQ(file->next(0, true), 10U);
  EXPECT_EQ(file->next(0, false), 0U);
  EXPECT_EQ(file->next(10, false), 16U);
  EXPECT_EQ(file->next(15, true), 15U);
  EXPECT_EQ(file->next(16, true), 20U);
  EXPECT_EQ(file->next(21, true), UINT64_MAX);
  file->end_flush(ok());
}

}  // namespace
}  // namespace outcrop::ns
