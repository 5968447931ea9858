// What is noted down about the paths of drives, and which of them a start looks at.
#include "server/drive_list.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace outcrop::server {
namespace {

using Paths = std::vector<std::string>;

class DriveListTest : public ::testing::Test {
 protected:
  DriveListTest() {
    std::string name = (std::filesystem::temp_directory_path() / "drive-list-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    dir = name;
  }
  ~DriveListTest() override { std::filesystem::remove_all(dir); }
  void write(const std::string& text) {
    std::ofstream(dir / "drives.json", std::ios::trunc) << text;
    ::chmod((dir / "drives.json").c_str(), 0600);
  }
  /// The paths of the next start.
  Paths next() {
    DriveList list(dir, configured);
    const Result<void> loaded = list.load();
    EXPECT_TRUE(loaded) << loaded.error().describe();
    return list.paths();
  }

  std::filesystem::path dir;
  Paths configured{"/c1", "/c2"};
};

TEST_F(DriveListTest, WhatWasAddedIsThereAtTheNextStart) {
  DriveList list(dir, configured);
  ASSERT_TRUE(list.load());
  EXPECT_EQ(list.paths(), configured);
  EXPECT_TRUE(*list.promise("/n", ""));
  EXPECT_EQ(next(), (Paths{"/c1", "/c2", "/n"})) << "before it has joined: the process may end now";
  ASSERT_TRUE(list.joined("/n", "u-n"));
  EXPECT_EQ(next(), (Paths{"/c1", "/c2", "/n"}));
  EXPECT_EQ(list.last_path("u-n"), "/n");
  EXPECT_EQ(list.last_path("other"), "");
}

TEST_F(DriveListTest, OnlyWhatWasNotListedIsToBeWithdrawn) {
  DriveList list(dir, configured);
  ASSERT_TRUE(list.load());
  EXPECT_TRUE(*list.promise("/n", ""));
  ASSERT_TRUE(list.withdraw("/n"));
  EXPECT_EQ(next(), configured);
  EXPECT_TRUE(*list.promise("/n", ""));
  ASSERT_TRUE(list.joined("/n", "u-n"));
  EXPECT_FALSE(*list.promise("/n", "")) << "it is listed, and in use";
  EXPECT_FALSE(*list.promise("/c2", ""));
  ASSERT_TRUE(list.withdraw("/n")) << "takes back promises only";
  EXPECT_EQ(next(), (Paths{"/c1", "/c2", "/n"}));
}

// Of two drives that were at one path one after the other, the older one is forgotten.
TEST_F(DriveListTest, DrivesAreForgottenByUuid) {
  DriveList list(dir, configured);
  ASSERT_TRUE(list.load());
  ASSERT_TRUE(list.joined("/n", "old"));
  ASSERT_TRUE(list.joined("/n", "new"));
  ASSERT_TRUE(list.forget("old"));
  EXPECT_EQ(next(), (Paths{"/c1", "/c2", "/n"}));
  ASSERT_TRUE(list.forget("new"));
  EXPECT_EQ(next(), configured);
}

TEST_F(DriveListTest, AStartNotesWhatItFound) {
  DriveList list(dir, configured);
  ASSERT_TRUE(list.load());
  ASSERT_TRUE(list.joined("/gone", "forgotten while nobody listened"));
  ASSERT_TRUE(list.joined("/n", "u-n"));
  ASSERT_TRUE(*list.promise("/killed in between", ""));
  ASSERT_TRUE(list.settle({{.path = "/c1", .uuid = "u-1"},
                           {.path = "/c2", .uuid = "u-2"},
                           {.path = "/killed in between", .uuid = "u-k"},
                           {.path = "", .uuid = "u-n"}}));
  EXPECT_EQ(next(), (Paths{"/c1", "/c2", "/n", "/killed in between"}));
  EXPECT_EQ(list.last_path("u-1"), "/c1");
  EXPECT_EQ(list.last_path("u-n"), "/n") << "missing: where it was last";
  // It is in storage.drives now, as it should be, and is only there from then on.
  configured.emplace_back("/n");
  DriveList later(dir, configured);
  ASSERT_TRUE(later.load());
  ASSERT_TRUE(later.settle({{.path = "/c1", .uuid = "u-1"}, {.path = "/n", .uuid = "u-n"}}));
  EXPECT_EQ(next(), (Paths{"/c1", "/c2", "/n"}));
  configured.pop_back();
  EXPECT_EQ(next(), configured);
}

// A start that finds the drive blank makes it join, and must know for which.
TEST_F(DriveListTest, WhomANewDriveReplacesIsKeptUntilItHasJoined) {
  {
    DriveList list(dir, configured);
    ASSERT_TRUE(list.load());
    EXPECT_TRUE(*list.promise("/n", "u-old"));
    EXPECT_TRUE(*list.promise("/c1", "u-other")) << "also at a path that is listed";
    EXPECT_EQ(list.replaces("/c2"), "");
  }
  DriveList list(dir, configured);
  ASSERT_TRUE(list.load());
  EXPECT_EQ(list.replaces("/n"), "u-old");
  EXPECT_EQ(list.replaces("/c1"), "u-other");
  ASSERT_TRUE(list.withdraw("/c1"));
  EXPECT_EQ(list.replaces("/c1"), "");
  ASSERT_TRUE(list.joined("/n", "u-new"));
  EXPECT_EQ(list.replaces("/n"), "");
  EXPECT_EQ(next(), (Paths{"/c1", "/c2", "/n"}));
}

TEST_F(DriveListTest, TheFirstFormIsRead) {
  write(R"({"added":["/n/","/c1"]})");
  EXPECT_EQ(next(), (Paths{"/c1", "/c2", "/n"}));
  DriveList list(dir, configured);
  ASSERT_TRUE(list.load());
  ASSERT_TRUE(list.settle({{.path = "/c1", .uuid = "u-1"}, {.path = "/n", .uuid = "u-n"}}));
  ASSERT_TRUE(list.forget("u-n"));
  EXPECT_EQ(next(), configured);
}

TEST_F(DriveListTest, ADamagedFileIsNotGuessedAt) {
  for (const char* const bad :
       {"", "[]", "{}", R"({"drives":{}})", R"({"drives":["/n"]})", R"({"added":[1]})",
        R"({"added":[""]})", R"({"drives":[{"path":"/n","uuid":"u"}]})",
        R"({"drives":[{"path":"","uuid":"u","added":true}]})"}) {
    write(bad);
    DriveList list(dir, configured);
    const Result<void> loaded = list.load();
    ASSERT_FALSE(loaded) << bad;
    EXPECT_EQ(loaded.error().code(), Errc::config);
  }
}

TEST_F(DriveListTest, NothingIsWrittenThatCannotBeReadAgain) {
  DriveList list(dir, configured);
  ASSERT_TRUE(list.load());
  ASSERT_TRUE(list.joined("/n", "u-n"));
  EXPECT_FALSE(list.settle({{.path = "/\xff", .uuid = "u-x"}, {.path = "/n", .uuid = "u-n"}}));
  EXPECT_EQ(list.last_path("u-x"), "");
  EXPECT_EQ(next(), (Paths{"/c1", "/c2", "/n"}));
}

TEST(NormalFolder, OnePathHasOneName) {
  EXPECT_EQ(normal_folder("/mnt/d5"), "/mnt/d5");
  EXPECT_EQ(normal_folder("/mnt/d5/"), "/mnt/d5");
  EXPECT_EQ(normal_folder("/mnt//d5/."), "/mnt/d5");
  EXPECT_EQ(normal_folder("/mnt/x/../d5//"), "/mnt/d5");
  EXPECT_EQ(normal_folder("/"), "/");
  EXPECT_EQ(normal_folder(""), "");
}

}  // namespace
}  // namespace outcrop::server
