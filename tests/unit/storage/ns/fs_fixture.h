// A bucket "b" seen as files and as objects, over the in-memory stores.
#pragma once
#include <gtest/gtest.h>

#include "storage/ns/fs_name.h"
#include "tests/support/namespace_fixture.h"

namespace outcrop::ns::test {

class FileTest : public ::testing::Test, protected outcrop::test::NamespaceFixture {
 protected:
  explicit FileTest(NamespaceConfig config = {}) : NamespaceFixture(std::move(config)) {
    must(ns->create_bucket("b", ""));
    root = must(fs().bucket_root("b")).id;
  }
  ~FileTest() override {
    must(fs().flush_idle(INT64_MAX));
    expect_clean();
  }

  FileSystem& fs() { return ns->files(); }

  Result<FileAttributes> find(FileId directory, std::string name) {
    return run(fs().lookup(directory, name));
  }
  /// By path of plain names from the root.
  FileAttributes at(std::string_view path) {
    FileAttributes out = must(fs().get_attributes(root));
    for (std::size_t start = 0; start < path.size();) {
      const std::size_t end = std::min(path.find('/', start), path.size());
      out = must(find_task(out.id, std::string(path.substr(start, end - start))));
      start = end + 1;
    }
    return out;
  }
  FileAttributes create(FileId directory, std::string name, CreateRequest request = {}) {
    return must(fs().create(directory, name, request)).attributes;
  }
  FileAttributes mkdir(FileId directory, std::string name) {
    return must(fs().make_directory(directory, name, {})).attributes;
  }
  Result<Removed> unlink(FileId directory, std::string name, RemoveKind kind = RemoveKind::any) {
    return run(fs().remove(directory, name, kind));
  }
  Result<Renamed> move(FileId from, std::string from_name, FileId to, std::string to_name) {
    return run(fs().rename(from, from_name, to, to_name));
  }
  std::uint64_t change_of(FileId id) { return must(fs().get_attributes(id)).change; }
  bool gone(FileId id) {
    const auto attributes = run(fs().get_attributes(id));
    return !attributes && attributes.error().code() == Errc::stale;
  }

  /// All names, read in pages of `step`.
  std::vector<std::string> ls(FileId directory, std::size_t step = 1000) {
    std::vector<std::string> out;
    std::uint64_t cookie = 0;
    for (;;) {
      const DirectoryPage page = must(fs().read_directory(directory, cookie, step, 1 << 20));
      for (const DirectoryEntry& entry : page.entries) {
        out.push_back(entry.name);
        cookie = entry.cookie;
      }
      if (page.eof) {
        return out;
      }
    }
  }

  template <class T>
  static Errc code(const Result<T>& result) {
    return result ? Errc::internal : result.error().code();
  }

  FileId root;

 private:
  Task<FileAttributes> find_task(FileId directory, std::string name) {
    co_return co_await fs().lookup(directory, name);
  }
};

}  // namespace outcrop::ns::test
