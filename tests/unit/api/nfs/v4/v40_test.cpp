// NFSv4.0: client ids, owner sequence numbers and their replays, OPEN_CONFIRM.
#include "tests/unit/api/nfs/v4/fixture.h"

namespace outcrop::test {
namespace {

class V40 : public Nfs4Test {
 protected:
  V40() { client.start_4_0(); }
  Nfs4OpenHow how(std::string_view owner = "o") {
    Nfs4OpenHow out;
    out.client = client.client_id;
    out.owner = owner;
    out.seqid = seqid;
    return out;
  }
  /// Makes "f" and confirms the owner.
  File confirmed() {
    Nfs4OpenHow open = how();
    open.create = 0;
    const Nfs4Reply made = client.call(C().walk("data").open("f", open).getfh());
    EXPECT_EQ(made.status, Status::ok);
    EXPECT_EQ(made.find(Op::open).numbers[3] & 2U, 2U);  // to be confirmed
    File file{made.last().text, made.find(Op::open).stateid};
    C confirm;
    confirm.putfh(file.handle).with(Op::open_confirm, file.stateid).out.u32(++seqid);
    const Nfs4Result done = last(confirm);
    EXPECT_EQ(done.status, Status::ok);
    file.stateid = done.stateid;
    ++seqid;
    return file;
  }
  std::uint32_t seqid = 1;
};

TEST_F(V40, OpenConfirmWriteClose) {
  const File file = confirmed();
  EXPECT_EQ(status(C().putfh(file.handle).write(file.stateid, 0, "text")), Status::ok);
  EXPECT_EQ(content(file), "text");
  EXPECT_EQ(status(C().putfh(file.handle).close(file.stateid, seqid)), Status::ok);
  EXPECT_EQ(status(C().putfh(file.handle).read(file.stateid, 0, 1)), Status::bad_stateid);
}

TEST_F(V40, AReplayedOpenGivesTheSameAndPutsTheFile) {
  confirmed();
  Nfs4OpenHow open = how();
  open.deny = 3;
  open.access = 1;
  const Nfs4Reply first = client.call(C().walk("data").open("g", open).getfh());
  EXPECT_EQ(first.status, Status::noent);
  EXPECT_EQ(client.call(C().walk("data").open("g", open).getfh()).status, Status::noent);
  open.seqid = ++seqid;
  open.create = 0;
  const Nfs4Reply made = client.call(C().walk("data").open("g", open).getfh());
  ASSERT_EQ(made.status, Status::ok);
  const Nfs4Reply again = client.call(C().walk("data").open("g", open).getfh());
  EXPECT_EQ(again.status, Status::ok);
  EXPECT_EQ(again.last().text, made.last().text);
  EXPECT_EQ(again.find(Op::open).stateid, made.find(Op::open).stateid);
  open.seqid = seqid + 2;
  EXPECT_EQ(client.call(C().walk("data").open("g", open)).status, Status::bad_seqid);
}

TEST_F(V40, ReplayedCloses) {
  const File file = confirmed();
  const Nfs4Result closed = last(C().putfh(file.handle).close(file.stateid, seqid));
  const Nfs4Result again = last(C().putfh(file.handle).close(file.stateid, seqid));
  EXPECT_EQ(again.status, Status::ok);
  EXPECT_EQ(again.stateid, closed.stateid);
}

TEST_F(V40, ATakenNumberIsForItsOperationOnly) {
  const File file = confirmed();
  // What has the number is an OPEN_CONFIRM, whose answer is none for these.
  EXPECT_EQ(status(C().putfh(file.handle).close(file.stateid, seqid - 1)), Status::bad_seqid);
  Nfs4OpenHow open = how();
  open.seqid = seqid - 1;
  EXPECT_EQ(status(C().walk("data").open("f", open)), Status::bad_seqid);
  EXPECT_EQ(status(C().putfh(file.handle).close(file.stateid, seqid)), Status::ok);
}

TEST_F(V40, ReplaysBehindData) {
  const File file = confirmed();
  ASSERT_EQ(status(C().putfh(file.handle).write(file.stateid, 0, std::string(100, 'x'))),
            Status::ok);
  const auto read_and_close = [&] {
    return client.call(C().putfh(file.handle).read({}, 0, 100).close(file.stateid, seqid));
  };
  const Nfs4Reply closed = read_and_close();
  ASSERT_EQ(closed.status, Status::ok);
  const Nfs4Reply again = read_and_close();
  ASSERT_EQ(again.status, Status::ok);
  EXPECT_EQ(again.last().stateid, closed.last().stateid);
}

TEST_F(V40, LocksOfANewOwner) {
  const File file = confirmed();
  const Nfs4Result locked =
      last(C().putfh(file.handle).lock(2, 0, 10, file.stateid, "l", client.client_id, seqid++, 0));
  ASSERT_EQ(locked.status, Status::ok);
  C release;
  release.op(Op::release_lockowner).out.u64(client.client_id);
  release.out.string("l");
  EXPECT_EQ(status(release), Status::locks_held);
  C unlock;
  unlock.putfh(file.handle).op(Op::locku).out.u32(2);
  unlock.out.u32(1);
  unlock.put(locked.stateid).out.u64(0);
  unlock.out.u64(10);
  const Nfs4Result done = last(unlock);
  EXPECT_EQ(done.status, Status::ok);
  release.op(Op::release_lockowner).out.u64(client.client_id);
  release.out.string("l");
  release.count = 1;
  EXPECT_EQ(status(release), Status::ok);
}

TEST_F(V40, Renew) {
  C renew;
  renew.op(Op::renew).out.u64(client.client_id);
  EXPECT_EQ(status(renew), Status::ok);
  renew = C();
  renew.op(Op::renew).out.u64(client.client_id ^ 0xffff'0000'0000'0000);
  EXPECT_EQ(status(renew), Status::stale_clientid);
}

TEST_F(V40, AnotherPrincipalDoesNotTakeTheClientId) {
  confirmed();
  client.credentials.uid = 1001;
  C set;
  set.op(Op::setclientid).out.u64(78);
  set.out.string("client");
  set.out.u32(0x40000000);
  set.out.string("tcp");
  set.out.string("10.0.0.1.8.1");
  set.out.u32(1);
  EXPECT_EQ(status(set), Status::clid_inuse);
}

}  // namespace
}  // namespace outcrop::test
