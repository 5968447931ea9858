// Files: rotation, repair after a crash, and what verification finds.
#include "auth/audit/audit_file.h"

#include <sys/stat.h>

#include "tests/unit/auth/audit/folder.h"

namespace outcrop::audit {
namespace {

class AuditFiles : public test::Folder {
 protected:
  AuditFile open(AuditFile::Found* found = nullptr) {
    AuditFile::Found ignored;
    return AuditFile::open(folder, limits, found != nullptr ? *found : ignored).value();
  }
  std::string sealed(std::string_view action) {
    return seal(body_of({.protocol = "s3", .action = action}, 1), at);
  }
  /// Lines "0" to "9", three to a file.
  void fill() {
    AuditFile out = open();
    for (int i = 0; i < 10; ++i) {
      const std::string line = sealed(std::to_string(i));
      if (out.full(line.size())) {
        ASSERT_TRUE(out.rotate());
      }
      ASSERT_TRUE(out.append(line));
    }
  }
  void edit(unsigned number, std::size_t line, const std::function<void(std::string&)>& change) {
    std::vector<std::string> all = lines(file(number));
    change(all.at(line));
    std::string text;
    for (const std::string& each : all) {
      text += each.empty() ? "" : each + "\n";
    }
    write(file(number), text);
  }

  FileLimits limits{.file_bytes = 800, .files = 8};
  Link at;
};

TEST_F(AuditFiles, AreRotatedAndStayOneChain) {
  fill();
  EXPECT_EQ(files().size(), 4u);
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.intact()) << why();
  EXPECT_EQ(verdict.lines, 10u);
  EXPECT_EQ(verdict.first.seq, 1u);
  EXPECT_EQ(verdict.last, at);
  struct stat status{};
  for (const auto& path : files()) {
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777u, 0600u);
    EXPECT_LE(status.st_size, 800);
  }
  AuditFile::Found found;
  open(&found);
  EXPECT_EQ(found.last, at);
  EXPECT_EQ(found.torn, 0u);
}

TEST_F(AuditFiles, TheOldestGoesFirst) {
  limits.files = 2;
  fill();
  EXPECT_EQ(files().size(), 2u);
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.intact()) << why();
  EXPECT_EQ(verdict.first.seq, 7u);
  EXPECT_EQ(verdict.last.seq, 10u);
  limits.files = 1;
  AuditFile out = open();
  ASSERT_TRUE(out.rotate());
  EXPECT_EQ(read(file()), "");
}

// What stayed would fall out of the chain with the next rotation, and take room for ever.
TEST_F(AuditFiles, ALowerLimitRemovesTheOldest) {
  fill();
  write(folder / "audit.log.x", "");
  write(folder / "audit.log.03", "");
  write(folder / "other", "");
  limits.files = 2;
  AuditFile out = open();
  for (const char* const kept : {"audit.log.x", "audit.log.03", "other"}) {
    EXPECT_TRUE(std::filesystem::remove(folder / kept)) << kept << " is none of ours";
  }
  EXPECT_EQ(files().size(), 2u);
  EXPECT_TRUE(verify().intact()) << why();
  ASSERT_TRUE(out.rotate());
  ASSERT_TRUE(out.append(sealed("later")));
  EXPECT_EQ(files().size(), 2u);
  EXPECT_TRUE(verify().intact()) << why();
  EXPECT_EQ(verify().last, at);
}

TEST_F(AuditFiles, NothingIsNotIntact) {
  write(file(), "");
  EXPECT_EQ(why(), "chain: there is no line in it: a log has one from its first start on");
  EXPECT_EQ(
      verify_chain({folder}).problems.at(0),
      folder.string() + ": is a folder: name the files in it, as in " + file().string() + "*");
  EXPECT_EQ(verify_chain({folder}).problems.size(), 1u);
  EXPECT_EQ(verify_chain({folder / "none"}).problems.at(0),
            (folder / "none").string() + ": cannot be read");
}

TEST_F(AuditFiles, WhatIsMissingAtTheEndOnlyTheNotedLinkShows) {
  fill();
  std::filesystem::remove(file());
  EXPECT_TRUE(verify().intact()) << why();
  const Verdict verdict = verify_chain(files(), at);
  ASSERT_FALSE(verdict.intact());
  EXPECT_EQ(verdict.problems.at(0), "chain: line 10 with the noted hash is not there");
}

TEST_F(AuditFiles, TamperingIsFound) {
  fill();
  const std::string digit = "\"action\":\"4\"";
  edit(2, 1, [&](std::string& line) {
    line.replace(line.find(digit), digit.size(), "\"action\":\"5\"");
  });
  EXPECT_EQ(why(), file(2).string() + ":2: changed: it does not have the hash that it says");
  EXPECT_EQ(verify().problems.size(), 1u);
}

TEST_F(AuditFiles, AMissingLineIsFound) {
  fill();
  edit(2, 1, [](std::string& line) { line.clear(); });
  EXPECT_EQ(why(), file(2).string() + ":2: number 6 follows number 4");
}

TEST_F(AuditFiles, AMissingFileIsFound) {
  fill();
  std::filesystem::remove(file(1));
  EXPECT_EQ(why(), file().string() + ":1: number 10 follows number 6");
}

TEST_F(AuditFiles, ALineThatWasHashedAnewIsFound) {
  fill();
  edit(2, 1, [](std::string& line) {
    const auto was = parse_line(line);
    Link forged{was->link.seq - 1, was->prev};
    line = seal(body_of({.protocol = "s3", .action = "forged"}, 1), forged);
    line.pop_back();
  });
  EXPECT_EQ(why(), file(2).string() + ":3: does not follow from the line before");
}

TEST_F(AuditFiles, AChainThatWasMadeAnewMissesTheLinkThatWasNoted) {
  fill();
  const Link noted = at;
  EXPECT_TRUE(verify_chain(files(), noted).intact());
  std::filesystem::remove_all(folder);
  at = {};
  sealed("another");  // one more line than before
  at = {};
  limits.file_bytes = 700;
  std::filesystem::create_directory(folder);
  {
    AuditFile out = open();
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(out.append(sealed("forged")));
    }
  }
  EXPECT_TRUE(verify_chain(files()).intact());
  EXPECT_FALSE(verify_chain(files(), noted).intact());
}

TEST_F(AuditFiles, ALineCutAnywhereIsTakenAwayAtTheNextStart) {
  fill();
  const std::string whole = read(file(1));
  const std::size_t last = whole.rfind('\n', whole.size() - 2) + 1;
  const Link before = parse_line(lines(file(1))[1])->link;
  std::filesystem::remove(file());
  std::filesystem::rename(file(1), file());
  for (std::size_t cut = last + 1; cut < whole.size(); ++cut) {
    write(file(), whole.substr(0, cut));
    const Verdict verdict = verify_chain({file()});
    EXPECT_TRUE(verdict.unfinished);
    EXPECT_TRUE(verdict.intact());
    AuditFile::Found found;
    open(&found);
    ASSERT_EQ(found.torn, cut - last);
    ASSERT_FALSE(found.damaged);
    ASSERT_EQ(found.last, before);
    ASSERT_EQ(read(file()), whole.substr(0, last));
  }
}

TEST_F(AuditFiles, ACrashInsideARotationGoesOnFromTheFileBefore) {
  fill();
  std::filesystem::remove(file());
  AuditFile::Found found;
  open(&found);
  EXPECT_EQ(found.last.seq, 9u);
  // The same with the first line of the new file cut off.
  write(file(), R"({"seq":10,"pr)");
  EXPECT_TRUE(verify().unfinished);
  EXPECT_TRUE(verify().intact()) << why();
  open(&found);
  EXPECT_EQ(found.last.seq, 9u);
  EXPECT_EQ(found.torn, 13u);
}

TEST_F(AuditFiles, ADamagedEndStartsAChainThatIsSeen) {
  fill();
  edit(0, 0, [](std::string& line) { line[line.size() - 3] ^= 1; });
  AuditFile::Found found;
  AuditFile out = open(&found);
  EXPECT_TRUE(found.damaged);
  EXPECT_EQ(found.last, Link{});
  EXPECT_EQ(read(file()), "");
  ASSERT_TRUE(out.append(seal(mark_body(kDamaged, "", {}, 1), found.last)));
  EXPECT_FALSE(verify().intact());
}

TEST_F(AuditFiles, OneProcessHasThem) {
  const AuditFile mine = open();
  AuditFile::Found found;
  const auto second = AuditFile::open(folder, limits, found);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::config);
}

TEST_F(AuditFiles, LinksAreNotFollowed) {
  std::filesystem::create_symlink("/tmp/elsewhere", file());
  AuditFile::Found found;
  EXPECT_FALSE(AuditFile::open(folder, limits, found));
}

}  // namespace
}  // namespace outcrop::audit
