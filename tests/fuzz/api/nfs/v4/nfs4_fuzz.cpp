// NFSv4 compounds against the file system in memory. The first byte chooses: raw arguments of a
// COMPOUND as they come, or operations with arguments that mostly fit, behind a valid SEQUENCE
// (4.1, 4.2) or a client id (4.0). Every reply must be one that a client can read, and end with its
// first failure.
#include <cstdint>
#include <cstdio>
#include <set>

#include "api/nfs/v4/nfs4.h"
#include "storage/base/assert.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/nfs4_client.h"
#include "tests/support/reference_namespace.h"
#include "tests/support/ticking_clock.h"

using namespace outcrop;
using test::Nfs4Compound;
using test::Nfs4Reply;
using test::Op;
using test::Stateid;
using test::Status;

namespace {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : x_at(data), x_end(data + size) {}
  bool empty() const { return x_at == x_end; }
  std::uint8_t byte() { return empty() ? 0 : *x_at++; }
  std::uint32_t number() {
    constexpr std::uint32_t kLikely[] = {0,  1,    2,     3,          5,         16,
                                         64, 4096, 65536, 0x7fffffff, UINT32_MAX};
    const std::uint8_t b = byte();
    return b < 0x80 ? b : kLikely[b % std::size(kLikely)];
  }
  std::uint64_t large() {
    const std::uint8_t b = byte();
    return b < 0xc0 ? number() : UINT64_MAX >> (b & 63);
  }
  std::string rest() { return {x_at, x_end}; }

 private:
  const std::uint8_t* x_at;
  const std::uint8_t* x_end;
};

/// Arguments by operation. u and U numbers, s stateid, n name, h handle, a attributes, m bitmap,
/// b boolean, v verifier, d data, i client id, k client id with the verifier that confirms it, z
/// session; o, l, c, S: see below.
struct Form {
  Op op;
  std::string_view arguments;
};
constexpr Form kForms[] = {
    {Op::access, "u"},
    {Op::close, "us"},
    {Op::commit, "Uu"},
    {Op::create, "cna"},
    {Op::delegpurge, "i"},
    {Op::delegreturn, "s"},
    {Op::getattr, "m"},
    {Op::getfh, ""},
    {Op::link, "n"},
    {Op::lock, "ubUUl"},
    {Op::lockt, "uUUin"},
    {Op::locku, "uusUU"},
    {Op::lookup, "n"},
    {Op::lookupp, ""},
    {Op::nverify, "a"},
    {Op::open, "uuuino"},
    {Op::openattr, "b"},
    {Op::open_confirm, "su"},
    {Op::open_downgrade, "suuu"},
    {Op::putfh, "h"},
    {Op::putrootfh, ""},
    {Op::read, "sUu"},
    {Op::readdir, "Uvuum"},
    {Op::readlink, ""},
    {Op::remove, "n"},
    {Op::rename, "nn"},
    {Op::renew, "i"},
    {Op::restorefh, ""},
    {Op::savefh, ""},
    {Op::secinfo, "n"},
    {Op::setattr, "sa"},
    {Op::setclientid, "vnunnu"},
    {Op::setclientid_confirm, "k"},
    {Op::verify, "a"},
    {Op::write, "sUud"},
    {Op::release_lockowner, "in"},
    {Op::backchannel_ctl, "uu"},
    {Op::bind_conn_to_session, "zub"},
    {Op::exchange_id, "vnuuu"},
    {Op::destroy_session, "z"},
    {Op::free_stateid, "s"},
    {Op::secinfo_no_name, "u"},
    {Op::test_stateid, "us"},
    {Op::destroy_clientid, "i"},
    {Op::reclaim_complete, "b"},
    {Op::allocate, "sUU"},
    {Op::copy, "ssUUUbbu"},
    {Op::deallocate, "sUU"},
    {Op::io_advise, "sUUm"},
    {Op::seek, "sUu"},
    {Op::clone, "ssUUU"},
    {Op::getxattr, "n"},
    {Op::setxattr, "und"},
    {Op::listxattrs, "Uu"},
    {Op::removexattr, "n"},
    {Op::read_plus, "sUu"},
    {Op::putpubfh, ""},
    {Op::create_session, "iuuS"},
    {Op::sequence, "zuuub"},
    {Op::set_ssv, "nn"},
    {Op::want_delegation, "uu"},
    {Op::layoutget, "buuUUUsu"},
    {Op::copy_notify, "sun"},
    {Op::offload_cancel, "s"},
    {Op::offload_status, "s"},
    {Op::write_same, "suUUUUud"},
};

/// Operations that succeeded, by number: what the corpus has to reach.
std::set<std::uint32_t>& succeeded() {
  static std::set<std::uint32_t> all;
  return all;
}

struct World {
  asio::io_context io{1};
  test::TickingClock clock;
  SeededRandom random{1};
  test::MemFileSystem files{clock};
  testing::ReferenceNamespace buckets{clock};
  nfs::ExportTable exports;
  nfs::HandleCodec handles{{std::byte{1}}, 1, {std::byte{2}}};
  nfs::MemoryRecoveryStore store;
  nfs::StateManager state{nfs::StateConfig{}, clock, random, store};
  nfs::v4::Nfs4 nfs4{{.buckets = buckets,
                      .files = files,
                      .exports = exports,
                      .handles = handles,
                      .clock = clock,
                      .random = random},
                     state,
                     "cluster",
                     [](std::uint32_t op, std::uint32_t status, auto...) {
                       if (status == 0) {
                         succeeded().insert(op);
                       }
                     }};
  test::Nfs4Client client{io, nfs4};
  std::vector<std::string> known_handles;
  std::vector<Stateid> stateids{{0, {}}, {1, {}}, nfs::kBypassStateid};
  std::uint64_t confirm_client = 0, confirm = 0;  ///< of the last SETCLIENTID

  explicit World(unsigned minor) {
    OUTCROP_ASSERT(run_on(io, state.start()));
    const InodeId bucket = files.add_bucket("b");
    for (const bool read_only : {false, true}) {
      nfs::Export e;
      e.path = read_only ? "/x/ro" : "/d";
      e.bucket = "b";
      e.clients = {*nfs::parse_cidr("10.0.0.0/8")};
      e.squash = nfs::Squash::none;
      e.read_only = read_only;
      OUTCROP_ASSERT(exports.add(std::move(e)));
    }
    OUTCROP_ASSERT(run_on(io, files.make_directory({bucket, bucket}, "a", {})));
    OUTCROP_ASSERT(run_on(io, files.make_symlink({bucket, bucket}, "l", "a", {})));
    OUTCROP_ASSERT(run_on(io, files.make_node({bucket, bucket}, "p", ns::FileType::fifo, {}, {})));
    client.credentials.uid = 0;
    client.minor = minor;
    if (minor == 0) {
      client.start_4_0();
    } else {
      client.start_session();
    }
    for (const char* path : {"", "d", "d/a", "d/l", "x/ro", "d/p"}) {
      known_handles.push_back(client.call(Nfs4Compound().walk(path).getfh()).last().text);
    }
  }
};

void put_open(Input& in, nfs::XdrWriter& out) {
  const std::uint8_t how = in.byte() % 5;
  out.u32(how < 4 ? 1 : 0);
  if (how < 4) {
    out.u32(how);
    if (how >= 2) {
      out.u64(in.byte());
    }
    if (how != 2) {
      test::Nfs4Attributes attributes;
      if (in.byte() % 2 == 0) {
        attributes.u64(test::Attribute::size, in.byte() % 3);
      }
      attributes.given.write(out);
      out.string(attributes.values.flatten());
    }
  }
  const std::uint8_t claim = in.byte() % 7;
  out.u32(claim);
  if (claim == 0 || claim == 3) {
    constexpr std::string_view kNames[] = {"f", "g", "a"};
    out.string(kNames[in.byte() % 3]);
  } else if (claim == 1) {
    out.u32(0);
  }
}

/// Of CREATE_SESSION behind its flags.
void put_channels(Input& in, nfs::XdrWriter& out) {
  for (int channel = 0; channel < 2; ++channel) {
    out.u32(0);
    for (int size = 0; size < 3; ++size) {
      out.u32(1U << (in.byte() % 32));
    }
    out.u32(in.number());
    out.u32(in.number());
    out.u32(0);
  }
  out.u32(0x40000000);
  out.u32(1);
  out.u32(0);
}

void put_attributes(Input& in, Nfs4Compound& c) {
  test::Nfs4Attributes attributes;
  if (in.byte() % 2 == 0) {
    attributes.u64(test::Attribute::size, in.large());
  }
  if (in.byte() % 2 == 0) {
    attributes.u32(test::Attribute::mode, in.number());
  }
  c.put(std::move(attributes));
}

const Stateid& any_stateid(const World& w, Input& in) {
  return w.stateids[in.byte() % w.stateids.size()];
}

/// locker4: by an owner that has locks or a new one.
void put_locker(const World& w, Input& in, Nfs4Compound& c) {
  const bool known = in.byte() % 4 == 3;
  c.out.u32(known ? 0 : 1);
  if (!known) {
    c.out.u32(in.number());
  }
  c.put(any_stateid(w, in));
  c.out.u32(in.number());
  if (!known) {
    c.out.u64(w.client.client_id);
    c.out.string("locker");
  }
}

void put_argument(World& w, Input& in, char form, Nfs4Compound& c) {
  constexpr std::string_view kNames[] = {"f", "g", "a", "l", "h", "", ".", "x/y", "\xff", "owner"};
  switch (form) {
    case 'u':
      c.out.u32(in.number());
      break;
    case 'U':
    case 'v':
      c.out.u64(in.large());
      break;
    case 'b':
      c.out.u32(in.byte() & 1);
      break;
    case 's':
      c.put(any_stateid(w, in));
      break;
    case 'n':
      c.out.string(kNames[in.byte() % std::size(kNames)]);
      break;
    case 'h':
      c.out.string(w.known_handles[in.byte() % w.known_handles.size()]);
      break;
    case 'd':
      c.out.string(std::string(in.byte(), 'x'));
      break;
    case 'i':
      c.out.u64(w.client.client_id ^ (in.byte() == 7 ? 1 : 0));
      break;
    case 'k':
      c.out.u64(w.confirm_client);
      c.out.u64(w.confirm ^ (in.byte() == 7 ? 1 : 0));
      break;
    case 'S':
      put_channels(in, c.out);
      break;
    case 'z':
      c.out.fixed_opaque(w.client.session);
      break;
    case 'm':
      c.out.u32(3);
      for (int i = 0; i < 3; ++i) {
        c.out.u32(in.number() * 0x01010101U);
      }
      break;
    case 'a':
      put_attributes(in, c);
      break;
    case 'o':
      put_open(in, c.out);
      break;
    case 'l':
      put_locker(w, in, c);
      break;
    default: {  // c: createtype4
      const std::uint8_t type = in.byte() % 9;
      c.out.u32(type);
      if (type == 5) {
        c.out.string("target");
      } else if (type == 3 || type == 4) {
        c.out.u64(1);
      }
    }
  }
}

void learn(World& w, const Nfs4Reply& reply) {
  constexpr std::size_t kMost = 64;
  for (const test::Nfs4Result& r : reply.results) {
    if (r.status != Status::ok || w.stateids.size() > kMost || w.known_handles.size() > kMost) {
      continue;
    }
    if (static_cast<Op>(r.op) == Op::setclientid && r.numbers.size() == 2) {
      w.confirm_client = r.numbers[0];
      w.confirm = r.numbers[1];
    } else if (static_cast<Op>(r.op) == Op::getfh) {
      w.known_handles.push_back(r.text);
    } else if (r.stateid != Stateid{}) {
      w.stateids.push_back(r.stateid);
    }
  }
}

void check(const Nfs4Reply& reply, std::size_t sent) {
  OUTCROP_ASSERT(reply.accept != UINT32_MAX);  // not readable
  if (!reply.answered || reply.accept != 0) {
    return;
  }
  OUTCROP_ASSERT(reply.results.size() <= sent);
  for (std::size_t i = 0; i < reply.results.size(); ++i) {
    const bool last = i + 1 == reply.results.size();
    OUTCROP_ASSERT(reply.results[i].status == (last ? reply.status : Status::ok));
  }
}

void run_operations(World& w, Input& in) {
  while (!in.empty()) {
    Nfs4Compound c;
    const std::uint8_t head = in.byte();
    const std::size_t count = head % 12;
    for (std::size_t i = 0; i < count && !in.empty(); ++i) {
      const Form& form = kForms[in.byte() % std::size(kForms)];
      c.op(form.op);
      for (const char argument : form.arguments) {
        put_argument(w, in, argument, c);
      }
    }
    const std::size_t sent = c.count + 1;
    // Some without SEQUENCE.
    const Nfs4Reply reply = head >= 0xf0 ? w.client.raw(c) : w.client.call(c);
    check(reply, sent);
    learn(w, reply);
    if (in.byte() % 8 == 0) {
      check(w.client.again(), sent);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const std::uint8_t mode = in.byte();
  World w(mode % 3);
  if ((mode & 0x80) != 0) {
    check(w.client.send(in.rest()), SIZE_MAX);
  } else {
    run_operations(w, in);
  }
  return 0;
}

/// Every operation has to succeed somewhere, but those that are not supported, and those about
/// delegations, of which there are none.
extern "C" bool outcrop_corpus_reached_all() {
  const std::set<Op> never = {
      Op::delegpurge,    Op::delegreturn,   Op::openattr,        Op::get_dir_delegation,
      Op::getdeviceinfo, Op::getdevicelist, Op::layoutcommit,    Op::layoutget,
      Op::layoutreturn,  Op::set_ssv,       Op::want_delegation, Op::copy_notify,
      Op::layouterror,   Op::layoutstats,   Op::offload_cancel,  Op::offload_status,
      Op::read_plus,     Op::write_same};
  bool all = true;
  for (const nfs::v4::OpRow& row : nfs::v4::op_table()) {
    const auto number = static_cast<std::uint32_t>(row.number);
    if (!never.contains(row.number) && !succeeded().contains(number)) {
      std::printf("no input reaches %s\n", std::string(row.name).c_str());
      all = false;
    }
  }
  return all;
}
