// What NFSv3 and MOUNT leave in the audit log.
#include "tests/support/recorded_events.h"
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::nfs::v3::test {
namespace {

using Lines = std::vector<std::string>;

class Audit3 : public Nfs3Test {
 protected:
  Audit3() { service.audit = &auditor; }
  std::string only() {
    Lines all = events.take();
    EXPECT_EQ(all.size(), 1u) << ::testing::PrintToString(all);
    return all.empty() ? "" : all.front();
  }
  static std::string line(std::string_view action, std::string_view rest) {
    return R"("protocol":"nfs","address":"10.1.2.3","identity":"root","uid":1000,"gid":1000,)"
           R"("export":"/datasets","action":"nfs3.)" +
           std::string(action) + "\"," + std::string(rest);
  }
  static constexpr std::string_view kDone =
      R"(,"result":"ok","status":"ok","reason":"export and permissions")";
  Args write_args(ns::FileId file) {
    return Args().fh(handle(file)).u64(0).u32(1).u32(2).text("x");
  }

  outcrop::testing::RecordedEvents events;
  Auditor auditor{events, files, clock};
};

TEST_F(Audit3, Changes) {
  const ns::FileId d = make_directory("d");
  make_file("f");
  ASSERT_EQ(call(kRename, Args().fh(root_handle()).text("f").fh(handle(d)).text("g")).nfs(),
            Status::ok);
  EXPECT_EQ(only(), line("RENAME", R"("resource":"b/f","target":"b/d/g")" + std::string(kDone)));
  const ns::FileId g = must(files.lookup(d, "g")).id;
  ASSERT_EQ(call(kLink, Args().fh(handle(g)).fh(root_handle()).text("h")).nfs(), Status::ok);
  EXPECT_NE(only().find(R"("target":"b/h","result":"ok")"), std::string::npos);
  ASSERT_EQ(on_name(kRemove, "h"), Status::ok);
  EXPECT_EQ(only(), line("REMOVE", R"("resource":"b/h")" + std::string(kDone)));
  ASSERT_EQ(call(kMkdir, Args().fh(handle(d)).text("new").u32(0).u32(0).u32(0).u32(0).u32(0).u32(0))
                .nfs(),
            Status::ok);
  EXPECT_EQ(only(), line("MKDIR", R"("resource":"b/d/new")" + std::string(kDone)));
}

TEST_F(Audit3, ReadsLeaveNone) {
  make_file("f");
  lookup("f");
  call(kGetattr, Args().fh(root_handle()));
  EXPECT_EQ(on_name(kLookup, "none"), Status::noent);
  EXPECT_EQ(events.take(), Lines{});
}

TEST_F(Audit3, OnlyTheFirstOfManyWrites) {
  const ns::FileId f = make_file("f");
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(call(kWrite, write_args(f)).nfs(), Status::ok);
  }
  EXPECT_EQ(only(), line("WRITE", R"("resource":"b/f")" + std::string(kDone)));
  const ns::FileId g = make_file("g");
  ASSERT_EQ(call(kWrite, write_args(g)).nfs(), Status::ok);
  EXPECT_NE(only().find("b/g"), std::string::npos);
  who.uid = 0;  // somebody else
  call(kWrite, write_args(f));
  EXPECT_NE(only().find(R"("uid":65534)"), std::string::npos);
}

TEST_F(Audit3, Refusals) {
  const ns::FileId f = make_file("f", "", 0, 0600);
  EXPECT_EQ(call(kWrite, write_args(f)).nfs(), Status::acces);
  EXPECT_NE(only().find(R"("result":"denied","status":"acces","reason":"permissions")"),
            std::string::npos);
  peer.address = boost::asio::ip::make_address("192.0.2.1");
  EXPECT_EQ(call(kGetattr, Args().fh(handle(f))).nfs(), Status::acces);
  EXPECT_EQ(only(),
            R"("protocol":"nfs","address":"192.0.2.1","identity":"root","export":"/datasets",)"
            R"("action":"nfs3.GETATTR","resource":"b","result":"denied","status":"acces",)"
            R"("reason":"the export is not for this client or connection")");
  std::string forged = root_handle();
  forged.back() = static_cast<char>(forged.back() ^ 1);
  call(kRemove, Args().fh(forged).text("f"));
  EXPECT_NE(only().find(R"("result":"denied","status":"badhandle")"), std::string::npos);
  call(kGetattr, Args().fh(forged));
  EXPECT_NE(only().find(R"("result":"denied","status":"badhandle")"), std::string::npos);
}

TEST_F(Audit3, Mounts) {
  EXPECT_EQ(mount_call(1, Args().text("/datasets")).status, 0u);
  EXPECT_EQ(only(),
            R"("protocol":"nfs","address":"10.1.2.3","identity":"root","export":"/datasets",)"
            R"("action":"mount3.MNT","resource":"b/","result":"ok","status":"ok",)"
            R"("reason":"export and permissions")");
  mount_call(1, Args().text("/none"));
  EXPECT_NE(only().find(R"("resource":"/none","result":"failed","status":"noent")"),
            std::string::npos);
  peer.address = boost::asio::ip::make_address("192.0.2.1");
  mount_call(1, Args().text("/datasets"));
  EXPECT_NE(only().find(R"("result":"denied","status":"acces")"), std::string::npos);
}

}  // namespace
}  // namespace outcrop::nfs::v3::test
