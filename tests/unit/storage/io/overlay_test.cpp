#include "storage/io/overlay_disk.h"

#include <gtest/gtest.h>

#include "storage/io/sim_disk.h"

namespace outcrop::io {
namespace {

class Overlay : public testing::Test {
 protected:
  Overlay() : world(2) {
    const auto base = open(0);
    EXPECT_TRUE(base->make_dir("dir"));
    for (const char* path : {"lock", "dir/kept", "dir/changed", "dir/gone"}) {
      const auto file = base->open(path, Access::create, Cache::buffered);
      EXPECT_TRUE((*file)->write_sync(0, as_bytes(std::string_view(path))));
    }
    steps = world.io_count();
    disk = make_overlay_disk(open(0), open(1));
  }
  std::unique_ptr<Disk> open(unsigned drive) { return world.open_disk(drive).value(); }
  static std::string read(Disk& from, std::string_view path) {
    const auto file = from.open(path, Access::read, Cache::buffered);
    if (!file) {
      return std::string(to_string(file.error().code()));
    }
    std::string out(64, '\0');
    out.resize((*file)->read_sync(0, std::as_writable_bytes(std::span(out))).value());
    return out;
  }
  static std::string list(Disk& of, std::string_view path) {
    const auto names = of.list(path);
    std::string out;
    for (const std::string& name : names ? *names : std::vector<std::string>{"none"}) {
      out += (out.empty() ? "" : " ") + name;
    }
    return out;
  }

  SimWorld world;
  std::uint64_t steps = 0;
  std::unique_ptr<Disk> disk;
};

TEST_F(Overlay, ShowsTheBaseUntilSomethingIsChanged) {
  EXPECT_EQ(read(*disk, "dir/kept"), "dir/kept");
  EXPECT_EQ(list(*disk, "dir"), "changed gone kept");
  EXPECT_EQ(list(*disk, "none"), "none");
  EXPECT_TRUE(disk->exists("dir/kept").value());
  EXPECT_FALSE(disk->exists("dir/other").value());
  EXPECT_EQ(world.io_count(), steps);
}

TEST_F(Overlay, ChangesGoToTheOtherDirectory) {
  const auto file = disk->open("dir/changed", Access::read_write, Cache::buffered);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write_sync(0, as_bytes(std::string_view("DIR"))));
  ASSERT_TRUE(disk->remove("dir/gone"));
  ASSERT_TRUE(disk->open("dir/new", Access::create, Cache::buffered));
  EXPECT_EQ(disk->open("dir/kept", Access::create, Cache::buffered).error().code(),
            Errc::already_exists);
  EXPECT_EQ(read(*disk, "dir/changed"), "DIR/changed");
  EXPECT_EQ(read(*disk, "dir/gone"), to_string(Errc::not_found));
  EXPECT_EQ(disk->remove("dir/gone").error().code(), Errc::not_found);
  EXPECT_EQ(list(*disk, "dir"), "changed kept new");
  const auto base = open(0);
  EXPECT_EQ(read(*base, "dir/changed"), "dir/changed");
  EXPECT_EQ(list(*base, "dir"), "changed gone kept");
}

TEST_F(Overlay, WhatIsRenamedIsAtItsNewNameOnly) {
  ASSERT_TRUE(disk->rename("dir/changed", "dir/kept"));
  EXPECT_EQ(read(*disk, "dir/kept"), "dir/changed");
  EXPECT_EQ(list(*disk, "dir"), "gone kept");
  EXPECT_EQ(read(*open(0), "dir/kept"), "dir/kept");
}

TEST_F(Overlay, ADirectoryThatIsMadeAnewIsEmpty) {
  ASSERT_TRUE(disk->remove_tree("dir"));
  EXPECT_EQ(list(*disk, "dir"), "none");
  EXPECT_FALSE(disk->exists("dir/kept").value());
  ASSERT_TRUE(disk->make_dir("dir"));
  EXPECT_EQ(list(*disk, "dir"), "");
  ASSERT_TRUE(disk->open("dir/kept", Access::create, Cache::buffered));
  EXPECT_EQ(read(*disk, "dir/kept"), "");
  EXPECT_EQ(list(*open(0), "dir"), "changed gone kept");
}

TEST_F(Overlay, AFileTooLongToBeCopiedIsOnlyRead) {
  const auto base = open(0);
  const auto file = base->open("dir/long", Access::create, Cache::buffered);
  ASSERT_TRUE((*file)->truncate(kMaxOverlayCopy + 1));
  EXPECT_TRUE(disk->open("dir/long", Access::read, Cache::buffered));
  EXPECT_EQ(disk->open("dir/long", Access::read_write, Cache::buffered).error().code(),
            Errc::entity_too_large);
}

TEST_F(Overlay, TheLockIsThatOfTheBase) {
  const auto server = open(0);
  ASSERT_TRUE(server->lock());
  EXPECT_EQ(disk->lock().error().code(), Errc::already_exists);
}

TEST_F(Overlay, WithoutALockFileNobodyHasIt) {
  ASSERT_TRUE(open(0)->remove("lock"));
  const std::uint64_t before = world.io_count();
  EXPECT_TRUE(disk->lock());
  EXPECT_EQ(world.io_count(), before);
}

}  // namespace
}  // namespace outcrop::io
