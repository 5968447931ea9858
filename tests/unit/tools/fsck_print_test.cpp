#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "tools/fsck/print.h"

namespace outcrop::tools {
namespace {

namespace json = boost::json;

check::Report some_report() {
  check::Report report;
  report.cluster = "c0ffee";
  report.parity = 2;
  report.mirrors = 3;
  report.drives.push_back({.slot = 1, .path = "/mnt/d1", .uuid = "u", .mirror = true});
  report.drives.push_back({.path = "", .uuid = "gone", .state = check::DriveState::missing});
  return report;
}

TEST(FsckPrint, CleanIsSaidAndZero) {
  check::Report report = some_report();
  report.findings.note("a-note", "something", "nothing");
  EXPECT_EQ(fsck_exit_code(report, ""), kClean);
  const std::string text = fsck_text(report, "");
  EXPECT_TRUE(text.ends_with("clean, 1 note\n")) << text;
  EXPECT_NE(text.find("/mnt/d1, metadata mirror"), std::string::npos);
  EXPECT_NE(text.find("missing      (gone)"), std::string::npos);
  EXPECT_TRUE(json::parse(fsck_json(report, "")).as_object().at("clean").as_bool());
}

TEST(FsckPrint, AProblemIsOneLineThatSaysWhatToDo) {
  check::Report report = some_report();
  report.findings.problem("chunks-damaged", "drive x: does not verify", "replace it");
  report.not_whole.push_back({.id = 255, .k = 4, .m = 2, .good = 5, .lost = false});
  EXPECT_EQ(fsck_exit_code(report, ""), kProblems);
  const std::string text = fsck_text(report, "");
  EXPECT_NE(
      text.find("PROBLEM chunks-damaged: drive x: does not verify. What to do: replace it.\n"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("segment 00000000000000ff: 5 of 6 shards good, 4 needed: degraded"),
            std::string::npos);
  const json::object out = json::parse(fsck_json(report, "")).as_object();
  EXPECT_FALSE(out.at("clean").as_bool());
  EXPECT_EQ(out.at("findings").at(0).at("advice").as_string(), "replace it");
  EXPECT_EQ(out.at("segments").at("not_whole").at(0).at("good").as_int64(), 5);
}

TEST(FsckPrint, WhatIsNotListedIsCounted) {
  check::Report report = some_report();
  for (std::size_t i = 0; i < check::kMaxListed + 7; ++i) {
    report.findings.problem("many", "m", "a");
  }
  EXPECT_EQ(report.findings.listed().size(), check::kMaxListed);
  EXPECT_NE(fsck_text(report, "").find("... and 7 more of many"), std::string::npos);
  EXPECT_EQ(json::parse(fsck_json(report, "")).at("counts").at("many").to_number<std::size_t>(),
            check::kMaxListed + 7);
}

TEST(FsckPrint, AnEarlyEndIsNeverClean) {
  const check::Report report = some_report();
  EXPECT_EQ(fsck_exit_code(report, "interrupted"), kNotChecked);
  EXPECT_TRUE(fsck_text(report, "interrupted").ends_with("NOT CHECKED to the end: interrupted\n"));
  EXPECT_FALSE(json::parse(fsck_json(report, "interrupted")).at("clean").as_bool());
}

TEST(FsckPrint, NamesOfAnyBytesAreText) {
  EXPECT_EQ(check::quoted("dir/ü\n\"\\"), "\"dir/ü\\x0a\\x22\\x5c\"");
  EXPECT_EQ(check::quoted("\xff\xc3"), "\"\\xff\\xc3\"");
  EXPECT_EQ(check::quoted("\xc0\x80\xed\xa0\x80\xf0\x9f\x98\x80"),
            "\"\\xc0\\x80\\xed\\xa0\\x80\xf0\x9f\x98\x80\"");
}

}  // namespace
}  // namespace outcrop::tools
