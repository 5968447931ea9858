#include "storage/ns/fs_name.h"

#include <gtest/gtest.h>

#include <set>

#include "storage/ns/file_system.h"

namespace outcrop::ns {
namespace {

TEST(FileNames, WhatMayBeLookedForAndWhatMayBeMade) {
  EXPECT_TRUE(check_name("a"));
  EXPECT_TRUE(check_name(std::string(255, 'x')));
  EXPECT_EQ(check_name(std::string(256, 'x')).error().code(), Errc::name_too_long);
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."),
                                 std::string("a/b"), std::string("a\0b", 3)}) {
    EXPECT_EQ(check_name(bad).error().code(), Errc::invalid_argument) << bad;
  }
  EXPECT_TRUE(check_name(".s3~x"));
  EXPECT_EQ(check_new_name(".s3~x").error().code(), Errc::invalid_argument);
  EXPECT_TRUE(check_new_name("gr\xc3\xb6\xc3\x9f\x65 \xf0\x9f\x98\x80"));
  for (const char* bad : {"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80",
                          "\xe0\x9f\xbf", "\xf5\x80\x80\x80"}) {
    EXPECT_EQ(check_new_name(bad).error().code(), Errc::invalid_argument);
    EXPECT_TRUE(check_name(bad));
  }
}

TEST(FileNames, AliasesAreFileNamesAndLeadBack) {
  const std::vector<std::string> dirents = {"/",
                                            ".",
                                            "./",
                                            "..",
                                            "../",
                                            "a",
                                            "a/",
                                            ".s3~a",
                                            ".s3~a/",
                                            ".s3~%41",
                                            "%41",
                                            "%",
                                            "%%",
                                            "a\x01\x7f",
                                            "A",
                                            "x y",
                                            std::string("n\0l", 3),
                                            ".s3~",
                                            ".s3~%2F/",
                                            "gr\xc3\xb6"};
  std::set<std::string> aliases;
  for (const std::string& dirent : dirents) {
    const std::string alias = alias_of(dirent);
    EXPECT_TRUE(check_name(alias)) << alias;
    EXPECT_TRUE(is_alias(alias));
    EXPECT_TRUE(aliases.insert(alias).second) << alias;
    const auto parsed = parse_alias(alias);
    ASSERT_TRUE(parsed) << alias;
    EXPECT_TRUE(parsed->whole);
    EXPECT_EQ(parsed->name, dirent);
  }
  EXPECT_EQ(alias_of("a"), ".s3~a");
  EXPECT_EQ(alias_of("./"), ".s3~.%2F");
}

TEST(FileNames, LongAliasesKeepTheirStartAndAHash) {
  for (const std::size_t n : {251u, 252u, 255u, 256u, 1000u}) {
    for (const char* unit : {"x", "\x01", "\xc3\xb6", "\xe2\x82\xac"}) {
      std::string dirent;
      while (dirent.size() < n) {
        dirent.append(unit);
      }
      const std::string alias = alias_of(dirent);
      ASSERT_TRUE(check_name(alias)) << alias.size();
      const auto parsed = parse_alias(alias);
      ASSERT_TRUE(parsed);
      if (parsed->whole) {
        EXPECT_EQ(parsed->name, dirent);
      } else {
        EXPECT_TRUE(dirent.starts_with(parsed->name));
        EXPECT_GE(parsed->name.size(), 55u);
        EXPECT_EQ(parsed->name.size() % std::string_view(unit).size(), 0u);
        EXPECT_NE(alias_of(dirent + "y"), alias);
      }
    }
  }
}

TEST(FileNames, WhatIsNoAliasIsNotParsed) {
  for (const char* text : {"a", ".s3", ".s3~%", ".s3~%4", ".s3~%4g", ".s3~%%ab"}) {
    EXPECT_FALSE(parse_alias(text)) << text;
  }
  // Decodes, but is not how the name is shown.
  EXPECT_NE(alias_of(parse_alias(".s3~%41")->name), ".s3~%41");
  EXPECT_FALSE(parse_alias(".s3~%2f"));  // only upper-case hex is written
}

TEST(FileNames, ShowsPlainly) {
  for (const char* plain : {"a", " ", "...", ".s3", "a%"}) {
    EXPECT_TRUE(shows_plainly(plain)) << plain;
  }
  for (const std::string& hidden :
       {std::string(), std::string("."), std::string(".."), std::string(".s3~"),
        std::string(256, 'x'), std::string("\0", 1)}) {
    EXPECT_FALSE(shows_plainly(hidden)) << hidden;
  }
}

}  // namespace
}  // namespace outcrop::ns
