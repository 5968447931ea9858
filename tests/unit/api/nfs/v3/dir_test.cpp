// READDIR and READDIRPLUS.
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::nfs::v3::test {
namespace {

struct Entry {
  std::uint64_t fileid = 0, cookie = 0;
  std::string name;
  std::optional<Attributes> attributes;
  std::optional<std::string> handle;
};
struct Page {
  std::vector<Entry> entries;
  bool eof = false;
  std::uint64_t verifier = 1;
  std::size_t bytes = 0;  ///< of what count limits
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const Entry& e : entries) {
      out.push_back(e.name);
    }
    return out;
  }
};

class Dir : public Nfs3Test {
 protected:
  Reply readdir(std::uint64_t cookie, std::uint32_t count, std::uint64_t verifier = 0) {
    return call(kReaddir, Args().fh(root_handle()).u64(cookie).u64(verifier).u32(count));
  }
  Reply readdirplus(std::uint64_t cookie, std::uint32_t dircount, std::uint32_t maxcount) {
    return call(kReaddirplus,
                Args().fh(root_handle()).u64(cookie).u64(0).u32(dircount).u32(maxcount));
  }
  Page page(Reply reply, bool plus) {
    EXPECT_EQ(reply.nfs(), Status::ok);
    Page p;
    p.bytes = reply.in.left();
    EXPECT_TRUE(read_post_op(reply.in));
    p.verifier = reply.in.u64();
    while (reply.in.boolean()) {
      Entry e;
      e.fileid = reply.in.u64();
      e.name = reply.in.string(255);
      e.cookie = reply.in.u64();
      if (plus) {
        e.attributes = read_post_op(reply.in);
        if (reply.in.boolean()) {
          e.handle = reply.in.string(64);
        }
      }
      p.entries.push_back(std::move(e));
    }
    p.eof = reply.in.boolean();
    EXPECT_TRUE(reply.in.done());
    return p;
  }
};

TEST_F(Dir, DotsComeFirst) {
  make_file("f");
  const Page p = page(readdir(0, 4096), false);
  EXPECT_EQ(p.names(), (std::vector<std::string>{".", "..", "f"}));
  EXPECT_EQ(p.entries[0].fileid, root);
  EXPECT_EQ(p.entries[1].fileid, root) << "the bucket's parent is itself";
  EXPECT_TRUE(p.eof);
  EXPECT_EQ(p.verifier, 0U);
  for (std::size_t i = 0; i < p.entries.size(); ++i) {
    const Page rest = page(readdir(p.entries[i].cookie, 4096), false);
    EXPECT_EQ(rest.entries.size(), p.entries.size() - i - 1);
    EXPECT_TRUE(rest.eof);
  }
}

TEST_F(Dir, ParentsOfSubdirectories) {
  const ns::FileId d = make_directory("d");
  Reply reply = call(kReaddir, Args().fh(handle(d)).u64(0).u64(0).u32(4096));
  const Page p = page(std::move(reply), false);
  ASSERT_EQ(p.entries.size(), 2U);
  EXPECT_EQ(p.entries[0].fileid, d.ino);
  EXPECT_EQ(p.entries[1].fileid, root);
}

TEST_F(Dir, PagesOfEverySizeGiveTheWholeDirectoryOnce) {
  std::vector<std::string> all{".", ".."};
  for (int i = 0; i < 40; ++i) {
    all.push_back("file" + std::to_string(100 + i) +
                  std::string(static_cast<std::size_t>(i % 7), 'x'));
    make_file(all.back());
  }
  for (const std::uint32_t count : {144U, 200U, 333U, 1000U, 4096U, UINT32_MAX}) {
    for (const bool plus : {false, true}) {
      std::vector<std::string> names;
      std::uint64_t cookie = 0;
      for (bool eof = false; !eof;) {
        const std::uint32_t limit = plus && count < UINT32_MAX ? count + 132 : count;
        const Page p =
            page(plus ? readdirplus(cookie, limit, limit) : readdir(cookie, limit), plus);
        EXPECT_LE(p.bytes, limit);
        ASSERT_TRUE(!p.entries.empty() || p.eof);
        for (const Entry& e : p.entries) {
          names.push_back(e.name);
          cookie = e.cookie;
        }
        eof = p.eof;
      }
      EXPECT_EQ(names, all) << count << plus;
    }
  }
}

TEST_F(Dir, TooSmall) {
  make_file("f");
  // 88 attributes, 8 verifier, 4 + 4 end; an entry "." is 28.
  EXPECT_EQ(readdir(0, 131).nfs(), Status::toosmall);
  EXPECT_EQ(page(readdir(0, 132), false).names(), std::vector<std::string>{"."});
  EXPECT_EQ(readdir(0, 0).nfs(), Status::toosmall);
  EXPECT_EQ(readdirplus(0, 4096, 104 + 28 + 88 + 40 - 1).nfs(), Status::toosmall);
  EXPECT_EQ(page(readdirplus(0, 4096, 104 + 28 + 88 + 40), true).entries.size(), 1U);
  const std::uint64_t last = page(readdir(0, 4096), false).entries.back().cookie;
  EXPECT_EQ(readdir(last, 103).nfs(), Status::toosmall);
  EXPECT_TRUE(page(readdir(last, 132), false).eof) << "nothing left fits everywhere";
}

TEST_F(Dir, DircountLimitsTheNames) {
  for (int i = 0; i < 10; ++i) {
    make_file("f" + std::to_string(i));
  }
  EXPECT_EQ(page(readdirplus(0, 28 * 3, 65536), true).entries.size(), 3U);
  EXPECT_EQ(page(readdirplus(0, 28 * 4 - 1, 65536), true).entries.size(), 3U);
  EXPECT_EQ(page(readdirplus(0, 0, 65536), true).entries.size(), 1U) << "at least one";
}

TEST_F(Dir, PlusGivesAttributesAndHandles) {
  const ns::FileId file = make_file("f", "abc");
  const Page p = page(readdirplus(0, 4096, 65536), true);
  ASSERT_EQ(p.entries.size(), 3U);
  EXPECT_EQ(p.entries[0].handle, root_handle());
  EXPECT_EQ(p.entries[1].handle, root_handle());
  EXPECT_EQ(p.entries[2].handle, handle(file));
  EXPECT_EQ(p.entries[2].attributes->size, 3U);
  EXPECT_EQ(p.entries[2].fileid, file.ino);
}

TEST_F(Dir, Permissions) {
  make_file("f");
  ns::SetAttributes set = mode(0744);
  set.uid = set.gid = 5;
  must(files.set_attributes({root, root}, set));
  const Page p = page(readdirplus(0, 4096, 65536), true);
  ASSERT_EQ(p.entries.size(), 3U) << "reading gives the names";
  EXPECT_FALSE(p.entries[2].attributes) << "without search there is nothing behind them";
  EXPECT_FALSE(p.entries[2].handle);
  must(files.set_attributes({root, root}, mode(0711)));
  EXPECT_EQ(readdir(0, 4096).nfs(), Status::acces);
  Reply reply = readdirplus(0, 4096, 65536);
  EXPECT_EQ(reply.nfs(), Status::acces);
  EXPECT_TRUE(read_post_op(reply.in));
  EXPECT_TRUE(reply.in.done());
}

TEST_F(Dir, Refusals) {
  const ns::FileId file = make_file("f");
  EXPECT_EQ(call(kReaddir, Args().fh(handle(file)).u64(0).u64(0).u32(4096)).nfs(), Status::notdir);
  EXPECT_EQ(readdir(12345, 4096).nfs(), Status::bad_cookie);
  const std::uint64_t cookie = page(readdir(0, 4096), false).entries.back().cookie;
  EXPECT_EQ(readdir(cookie, 4096, 1).nfs(), Status::bad_cookie);
  files.fail_next("read_directory", Errc::corrupt);
  Reply reply = readdir(0, 4096);
  EXPECT_EQ(reply.nfs(), Status::io);
  EXPECT_TRUE(read_post_op(reply.in));
  EXPECT_TRUE(reply.in.done());
}

TEST_F(Dir, GoesOnBehindWhatWasRemoved) {
  for (const char* name : {"a", "b", "c"}) {
    make_file(name);
  }
  const Page first = page(readdir(0, 104 + 28 * 4), false);
  ASSERT_EQ(first.names(), (std::vector<std::string>{".", "..", "a", "b"}));
  EXPECT_FALSE(first.eof);
  must(files.remove({root, root}, "b", ns::RemoveKind::file));
  EXPECT_EQ(page(readdir(first.entries.back().cookie, 4096), false).names(),
            std::vector<std::string>{"c"});
}

}  // namespace
}  // namespace outcrop::nfs::v3::test
