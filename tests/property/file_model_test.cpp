// Random histories of file data against flat strings, with crashes: what was committed is there,
// what was only written is there as a whole up to some moment or not at all, S3 and the file view
// agree, and the tree is whole. One seed reproduces a history.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/support/file_fixture.h"

namespace outcrop::test {
namespace {

using ns::FileId;

constexpr std::size_t kFiles = 4;
constexpr std::uint64_t kLongest = 900'000;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

ns::NamespaceConfig config() {
  ns::NamespaceConfig out;
  out.object_cache_bytes = 1 << 20;
  out.extent_cache_bytes = 1 << 20;
  out.write_buffer_bytes = 512 << 10;
  out.inode_block = 5000;
  out.fragmented_pieces = 20;
  return out;
}

struct Model {
  FileId id;
  std::string content;
  /// What may be stored: the contents since everything was known to be.
  std::vector<std::string> stored;

  void settle() { stored = {content}; }
  void changed() { stored.push_back(content); }
  /// A change of the record itself: of whatever is stored.
  void resized(std::uint64_t size) {
    content.resize(size);
    for (std::string& s : stored) {
      s.resize(size);
    }
  }
};

class FileHistory : public FileFixture {
 public:
  explicit FileHistory(std::uint64_t seed) : FileFixture(config()), x_random(seed) {
    for (std::size_t i = 0; i < kFiles; ++i) {
      x_files.push_back({.id = file(key(i)), .content = {}, .stored = {{}}});
    }
  }

  void step() {
    Model& f = any();
    switch (pick(25)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
        return write_some(f);
      case 7:
      case 8:
      case 9:
      case 10:
        return read_some(f);
      case 11:
      case 12:
        return truncate(f);
      case 13:
        return allocate(f);
      case 14:
        return punch(f);
      case 15:
      case 16:
        return clone(f, any());
      case 17:
        commit(f.id);
        return f.settle();
      case 18:
        return seek(f);
      case 19:
        return look_by_s3(f);
      case 20:
        return replace_by_s3(f);
      case 21:
        must(fs().flush_idle(INT64_MAX));
        for (Model& m : x_files) {
          m.settle();
        }
        return;
      case 22:
        if (pick(2) == 0) {
          must(fs().flush_idle(0));  // rewrites what is fragmented
          return;
        }
        return fail_some(f);
      case 23:
        return relocate();
      default:
        return pick(4) == 0 ? crash_now() : list_by_s3();
    }
  }

  void check() {
    for (Model& f : x_files) {
      ASSERT_TRUE(same(read(f.id), f.content));
    }
    must(fs().flush_idle(INT64_MAX));
    for (Model& f : x_files) {
      f.settle();
      ASSERT_TRUE(same(read(f.id), f.content));
    }
    expect_clean();
    blobs.collect();
    for (Model& f : x_files) {
      ASSERT_TRUE(same(read(f.id), f.content));
    }
  }

 private:
  std::uint64_t pick(std::uint64_t n) { return x_random() % n; }
  Model& any() { return x_files[pick(kFiles)]; }
  std::string key(std::size_t i) const { return "d/f" + std::to_string(i); }
  std::string key(const Model& f) const {
    return key(static_cast<std::size_t>(&f - x_files.data()));
  }

  std::string bytes(std::size_t n) {
    std::string out(n, '\0');
    const std::uint64_t seed = x_random();
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = static_cast<char>('a' + (seed + i * (1 + seed % 7)) % 26);
    }
    return out;
  }
  std::uint64_t length() {
    const std::uint64_t scales[] = {10, 300, 3'000, 20'000, 200'000};
    return 1 + pick(scales[pick(5)]);
  }
  std::uint64_t offset(const Model& f) {
    switch (pick(4)) {
      case 0:
        return f.content.size();
      case 1:
        return pick(kLongest);
      default:
        return pick(f.content.size() + 1);
    }
  }

  // Compaction: the content stays, all that was moved out is free.
  void relocate() {
    const auto segments = blobs.old_segments();
    if (segments.empty()) {
      return blobs.next_segment();
    }
    must(
        ns->relocate(segments[pick(segments.size())], 1 + pick(300'000), segment::Purpose::upkeep));
    if (pick(2) == 0) {
      blobs.collect();
    }
  }

  void write_some(Model& f) {
    const std::uint64_t at = offset(f);
    const std::string data = bytes(length());
    const bool stable = pick(6) == 0;
    write(f.id, at, data, stable);
    f.content.resize(std::max<std::size_t>(f.content.size(), at + data.size()));
    f.content.replace(at, data.size(), data);
    if (stable) {
      f.settle();
    } else {
      f.changed();
    }
  }

  void read_some(Model& f) {
    const std::uint64_t at = offset(f);
    const std::uint64_t n = length();
    const std::string expected = at < f.content.size() ? f.content.substr(at, n) : std::string();
    ASSERT_TRUE(same(read(f.id, at, n), expected)) << at << "+" << n;
  }

  void truncate(Model& f) {
    const std::uint64_t size = pick(3) == 0 ? pick(3000) : offset(f);
    ns::SetAttributes set;
    set.size = size;
    EXPECT_EQ(must(fs().set_attributes(f.id, set)).size, size);
    f.resized(size);
  }

  void allocate(Model& f) {
    const std::uint64_t at = offset(f), n = length();
    const auto attributes = must(fs().allocate(f.id, at, n));
    if (at + n > f.content.size()) {
      for (std::string& s : f.stored) {
        s.resize(std::max<std::size_t>(s.size(), at + n));
      }
      f.content.resize(at + n);
    }
    EXPECT_EQ(attributes.size, f.content.size());
  }

  void punch(Model& f) {
    const std::uint64_t at = offset(f), n = length();
    must(fs().deallocate(f.id, at, n));
    for (std::uint64_t i = at; i < std::min<std::uint64_t>(at + n, f.content.size()); ++i) {
      f.content[i] = '\0';
    }
    f.settle();
  }

  void clone(Model& from, Model& to) {
    const std::uint64_t at = pick(from.content.size() + 1);
    std::uint64_t n = std::min<std::uint64_t>(length(), from.content.size() - at);
    const std::uint64_t target = pick(kLongest);
    const auto cloned = run(fs().clone(from.id, at, to.id, target, n));
    n = n == 0 ? from.content.size() - at : n;
    if (&from == &to && at < target + n && target < at + n) {
      ASSERT_FALSE(cloned);
      EXPECT_EQ(cloned.error().code(), Errc::invalid_argument);
    } else {
      ASSERT_TRUE(cloned);
      EXPECT_EQ(*cloned, n);
      const std::string part = from.content.substr(at, n);
      if (n > 0) {
        to.content.resize(std::max<std::size_t>(to.content.size(), target + n));
        to.content.replace(target, n, part);
      }
    }
    from.settle();
    to.settle();
  }

  // Holes are a matter of storage, but what is said to be one must be zeros.
  void seek(Model& f) {
    const std::uint64_t at = pick(f.content.size() + 1);
    for (const bool data : {true, false}) {
      const auto found = run(fs().seek(f.id, at, data));
      if (at == f.content.size()) {
        ASSERT_FALSE(found);
        continue;
      }
      ASSERT_TRUE(found);
      EXPECT_GE(found->offset, at);
      EXPECT_EQ(found->eof, found->offset == f.content.size());
      if (data) {
        EXPECT_EQ(f.content.substr(at, found->offset - at).find_first_not_of('\0'),
                  std::string::npos);
      }
    }
  }

  void look_by_s3(Model& f) {
    const ns::ObjectInfo info = stat(key(f));
    EXPECT_EQ(info.size, f.content.size());
    EXPECT_EQ(info.ino, f.id.ino);
    ASSERT_TRUE(same(get(key(f)).value(), f.content));
    EXPECT_EQ(stat(key(f)).etag, info.etag);
    f.settle();
  }

  void replace_by_s3(Model& f) {
    const FileId old = f.id;
    f.content = bytes(length());
    f.id = file(key(f), f.content);
    f.settle();
    EXPECT_EQ(run(fs().read(old, 0, 1)).error().code(), Errc::stale);
  }

  // A commit that fails loses nothing; what the model says stays true.
  void fail_some(Model& f) {
    meta.fail_next_commit(pick(2) == 0 ? Errc::no_space : Errc::io_error);
    const std::string data = bytes(length());
    const std::uint64_t at = offset(f);
    // Unless it was another file's flush, to make room, that failed.
    const bool stored = try_write(f.id, at, data, true).has_value();
    const std::string now = read(f.id);
    if (stored || now != f.content) {  // making room may also have failed before it was taken
      f.content.resize(std::max<std::size_t>(f.content.size(), at + data.size()));
      f.content.replace(at, data.size(), data);
      ASSERT_TRUE(same(now, f.content));
      f.changed();
    }
    if (stored) {
      f.settle();
    }
  }

  void list_by_s3() {
    const ns::ListPage page = list({.prefix = "d/", .delimiter = {}, .start_after = {}});
    ASSERT_EQ(page.entries.size(), kFiles);
    for (std::size_t i = 0; i < kFiles; ++i) {
      EXPECT_EQ(page.entries[i].size, x_files[i].content.size());
    }
  }

  void crash_now() {
    crash(config());
    for (Model& f : x_files) {
      const std::string now = read(f.id);
      ASSERT_NE(std::ranges::find(f.stored, now), f.stored.end()) << key(f);
      f.content = now;
      f.settle();
    }
  }

  std::mt19937_64 x_random;
  std::vector<Model> x_files;
};

TEST(FileModel, RandomHistories) {
  const std::uint64_t operations = setting("OUTCROP_MODEL_OPS", 4000);
  const std::uint64_t seed = setting("OUTCROP_MODEL_SEED", 1);
  constexpr std::uint64_t kPerHistory = 1000;
  for (std::uint64_t done = 0; done < operations; done += kPerHistory) {
    SCOPED_TRACE("OUTCROP_MODEL_SEED=" + std::to_string(seed + done / kPerHistory));
    FileHistory history(seed + done / kPerHistory);
    for (std::uint64_t i = 0; i < kPerHistory && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("step " + std::to_string(i));
      history.step();
      if (i % 100 == 99) {
        history.check();
      }
    }
    if (testing::Test::HasFailure()) {
      return;
    }
  }
}

}  // namespace
}  // namespace outcrop::test
