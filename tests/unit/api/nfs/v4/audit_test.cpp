// What NFSv4 leaves in the audit log.
#include "tests/support/recorded_events.h"
#include "tests/unit/api/nfs/v4/fixture.h"

namespace outcrop::test {
namespace {

using Lines = std::vector<std::string>;

class Audit4 : public Nfs4Test {
 protected:
  Audit4() {
    service.audit = &auditor;
    audited.start_session();
    EXPECT_EQ(events.take(), Lines{});
  }
  Status ask(C& compound) { return audited.call(compound).status; }
  std::string only() {
    Lines all = events.take();
    EXPECT_EQ(all.size(), 1u) << ::testing::PrintToString(all);
    return all.empty() ? "" : all.front();
  }
  /// Of what is seen at the first walk into the export.
  void enter() {
    EXPECT_EQ(ask(C().walk("data")), Status::ok);
    EXPECT_NE(only().find(R"("action":"nfs4.LOOKUP","resource":"data/","result":"ok")"),
              std::string::npos);
  }
  static bool has(const std::string& line, std::string_view text) {
    return line.find(text) != std::string::npos;
  }

  testing::RecordedEvents events;
  nfs::Auditor auditor{events, files, clock};
  nfs::v4::Nfs4 audited_nfs4{
      nfs::Service{buckets, files, exports, handles, clock, random, &auditor}, state, "cluster"};
  Nfs4Client audited{io, audited_nfs4};
};

TEST_F(Audit4, EnteringAnExportIsAMountAndIsSaidOnce) {
  enter();
  EXPECT_EQ(ask(C().walk("data").getfh()), Status::ok);
  EXPECT_EQ(events.take(), Lines{});
  EXPECT_EQ(ask(C().walk("tls")), Status::wrongsec);
  EXPECT_TRUE(has(only(), R"("export":"/tls","action":"nfs4.LOOKUP","resource":"data",)"
                          R"("result":"denied","status":"wrongsec")"));
}

TEST_F(Audit4, Changes) {
  enter();
  ASSERT_EQ(ask(C().walk("data").mkdir("d")), Status::ok);
  EXPECT_TRUE(has(only(), R"("export":"/data","action":"nfs4.CREATE","resource":"data/d",)"
                          R"("result":"ok","status":"ok")"));
  ASSERT_EQ(ask(C().walk("data/d").op(Op::savefh).rename("none", "x")), Status::noent);
  EXPECT_TRUE(has(only(), R"("action":"nfs4.RENAME","resource":"data/d/none",)"
                          R"("target":"data/d/x","result":"failed","status":"noent")"));
  ASSERT_EQ(ask(C().walk("data").named(Op::remove, "d")), Status::ok);
  EXPECT_TRUE(has(only(), R"("action":"nfs4.REMOVE","resource":"data/d","result":"ok")"));
  ASSERT_EQ(ask(C().walk("ro").mkdir("d")), Status::rofs);
  const Lines lines = events.take();
  ASSERT_EQ(lines.size(), 2u);  // the way into /ro is one
  EXPECT_TRUE(has(lines[1], R"("result":"denied","status":"rofs","reason":"read-only")"));
}

TEST_F(Audit4, OpensThatChangeAndTheFirstWrite) {
  enter();
  Nfs4OpenHow how;
  how.create = 0;
  const Nfs4Reply made = audited.call(C().walk("data").open("f", how).getfh());
  ASSERT_EQ(made.status, Status::ok);
  EXPECT_TRUE(has(only(), R"("action":"nfs4.OPEN","resource":"data/f","result":"ok")"));
  const Stateid id = made.find(Op::open).stateid;
  const std::string handle = made.last().text;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(ask(C().putfh(handle).write(id, 0, "data")), Status::ok);
  }
  EXPECT_TRUE(has(only(), R"("action":"nfs4.WRITE","resource":"data/f","result":"ok")"));
  how.create.reset();
  how.access = 1;
  ASSERT_EQ(ask(C().walk("data").open("f", how)), Status::ok);  // changes nothing
  EXPECT_EQ(events.take(), Lines{});
  Nfs4Attributes mode;
  mode.u32(Attribute::mode, 0600);
  ASSERT_EQ(ask(C().putfh(handle).setattr(id, std::move(mode))), Status::ok);
  EXPECT_TRUE(has(only(), R"("action":"nfs4.SETATTR","resource":"data/f","result":"ok")"));
}

TEST_F(Audit4, AHandleFromAnotherAddressIsRefused) {
  enter();
  const nfs::ExportPtr other = exports.find("/other");
  const auto sealed = handles.seal({other->id, {bucket, bucket}});
  ASSERT_EQ(ask(C().putfh(as_text(ConstBytes(sealed)))), Status::access);
  EXPECT_TRUE(has(only(), R"("export":"/other","action":"nfs4.PUTFH","resource":"data",)"
                          R"("result":"denied","status":"acces")"));
}

TEST_F(Audit4, WhatTransportSecurityRefuses) {
  enter();
  const nfs::ExportPtr tls = exports.find("/tls");
  const auto sealed = handles.seal({tls->id, {bucket, bucket}});
  ASSERT_EQ(ask(C().putfh(as_text(ConstBytes(sealed))).getattr({Attribute::size})),
            Status::wrongsec);
  EXPECT_TRUE(has(only(), R"("export":"/tls","action":"nfs4.PUTFH","resource":"data/",)"
                          R"("result":"denied","status":"wrongsec")"));
}

TEST_F(Audit4, AnOpenThatAReadOnlyExportRefuses) {
  EXPECT_EQ(ask(C().walk("ro")), Status::ok);
  events.take();
  Nfs4OpenHow how;
  how.create = 0;
  ASSERT_EQ(ask(C().walk("ro").open("f", how)), Status::rofs);
  EXPECT_TRUE(has(only(), R"("action":"nfs4.OPEN","resource":"data/f","result":"denied",)"
                          R"("status":"rofs","reason":"read-only")"));
}

TEST_F(Audit4, AForgedHandleOnceAMinute) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(ask(C().putfh(std::string(32, 'x'))), Status::badhandle);
  }
  EXPECT_TRUE(has(only(), R"("action":"nfs4.PUTFH","result":"denied","status":"badhandle")"));
  clock.advance(61'000'000'000);
  ASSERT_EQ(ask(C().putfh(std::string(32, 'x'))), Status::badhandle);
  EXPECT_NE(only(), "");
}

}  // namespace
}  // namespace outcrop::test
