// A small NFSv4 client for tests: builds compounds, sends them to a Program in the same process,
// and takes the results apart. Speaks all minor versions; with a session it leads with SEQUENCE
// itself.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/nfs/dispatch.h"
#include "api/nfs/v4/attribute_set.h"
#include "api/nfs/v4/op_table.h"
#include "api/nfs/v4state/types.h"
#include "storage/base/async.h"

namespace outcrop::test {

using nfs::Stateid;
using nfs::Status;
using nfs::v4::Attribute;
using nfs::v4::AttributeSet;
using nfs::v4::Op;

/// fattr4 to send: values in the order of their numbers, encoded by the caller.
struct Nfs4Attributes {
  AttributeSet given;
  nfs::XdrWriter values;
  Nfs4Attributes& u32(Attribute a, std::uint32_t v);
  Nfs4Attributes& u64(Attribute a, std::uint64_t v);
  Nfs4Attributes& text(Attribute a, std::string_view v);
  /// time_access_set, time_modify_set: of the client (seconds) or, empty, of the server.
  Nfs4Attributes& time(Attribute a, std::optional<std::int64_t> seconds);
};

struct Nfs4OpenHow {
  std::uint32_t access = 3, deny = 0;
  std::string_view owner = "owner";
  std::uint32_t seqid = 0;              ///< 4.0
  std::uint64_t client = 0;             ///< 4.0
  std::optional<std::uint32_t> create;  ///< createmode4
  Nfs4Attributes attributes;
  std::uint64_t verifier = 0;
  std::uint32_t claim = 0;  ///< 0 null, 1 previous, 4 by handle
};

/// Operations in order. What has no method: op() and the arguments into `out`.
class Nfs4Compound {
 public:
  nfs::XdrWriter out;
  std::uint32_t count = 0;

  // Every method appends and gives the compound itself: C().putrootfh().getfh() is one to send.
  Nfs4Compound& op(Op number) {
    out.u32(static_cast<std::uint32_t>(number));
    ++count;
    return *this;
  }
  Nfs4Compound& named(Op number, std::string_view name) {
    op(number).out.string(name);
    return *this;
  }
  Nfs4Compound& with(Op number, const Stateid& id) { return op(number).put(id); }
  Nfs4Compound& put(const Stateid& id);
  Nfs4Compound& put(Nfs4Attributes attributes);

  Nfs4Compound& putrootfh() { return op(Op::putrootfh); }
  Nfs4Compound& putfh(std::string_view handle) { return named(Op::putfh, handle); }
  Nfs4Compound& getfh() { return op(Op::getfh); }
  Nfs4Compound& lookup(std::string_view name) { return named(Op::lookup, name); }
  Nfs4Compound& walk(std::string_view path);  ///< PUTROOTFH and LOOKUPs
  Nfs4Compound& getattr(AttributeSet wanted);
  Nfs4Compound& setattr(const Stateid& id, Nfs4Attributes attributes);
  Nfs4Compound& verify(Op number, Nfs4Attributes attributes);
  Nfs4Compound& mkdir(std::string_view name, Nfs4Attributes attributes = {});
  Nfs4Compound& symlink(std::string_view name, std::string_view target);
  Nfs4Compound& rename(std::string_view from, std::string_view to);
  Nfs4Compound& open(std::string_view name, Nfs4OpenHow how);
  Nfs4Compound& close(const Stateid& id, std::uint32_t seqid = 0);
  Nfs4Compound& read(const Stateid& id, std::uint64_t offset, std::uint32_t count);
  Nfs4Compound& write(const Stateid& id,
                      std::uint64_t offset,
                      std::string_view data,
                      std::uint32_t stable = 2);
  Nfs4Compound& readdir(std::uint64_t cookie,
                        AttributeSet wanted,
                        std::uint32_t dircount = 8192,
                        std::uint32_t maxcount = 32768,
                        std::uint64_t verifier = 0);
  Nfs4Compound& lock(std::uint32_t type,
                     std::uint64_t offset,
                     std::uint64_t length,
                     const Stateid& open,
                     std::string_view owner,
                     std::uint64_t client = 0,
                     std::uint32_t open_seqid = 0,
                     std::uint32_t lock_seqid = 0);
  Nfs4Compound& copy_range(Op number,
                           const Stateid& from,
                           const Stateid& to,
                           std::uint64_t from_offset,
                           std::uint64_t to_offset,
                           std::uint64_t length);
};

/// One result; which fields are filled depends on the operation.
struct Nfs4Result {
  std::uint32_t op = 0;
  Status status = Status::ok;
  std::string text;  ///< handle, link text, data, xattr
  Stateid stateid;
  AttributeSet set;                         ///< attrset, or which attributes there are
  std::map<Attribute, std::string> values;  ///< raw XDR by attribute
  std::vector<std::uint64_t> numbers;       ///< other results in order
  std::vector<std::pair<std::string, std::uint64_t>> entries;  ///< READDIR: name and cookie
  std::vector<std::map<Attribute, std::string>> entry_values;
  bool eof = false;

  std::uint32_t u32(Attribute a) const;
  std::uint64_t u64(Attribute a) const;
  std::string string(Attribute a) const;
};

struct Nfs4Reply {
  bool answered = false;     ///< false: no reply at all
  std::uint32_t accept = 0;  ///< accept_stat
  Status status = Status::ok;
  std::string tag;
  std::vector<Nfs4Result> results;
  std::string raw;  ///< the whole record

  const Nfs4Result& last() const { return results.at(results.size() - 1); }
  const Nfs4Result& find(Op number) const;
};

/// The COMPOUND results in `record` as a client reads them; false: not well-formed.
bool parse_nfs4_reply(std::string record, Nfs4Reply& out);

class Nfs4Client {
 public:
  Nfs4Client(asio::io_context& io, nfs::Program& program) : x_io(io), x_program(program) {
    peer.address = boost::asio::ip::make_address("10.0.0.1");
    peer.connection = 1;
    credentials.flavor = nfs::AuthFlavor::sys;
    credentials.machine = "client";
    credentials.uid = 1000;
    credentials.gid = 1000;
  }

  nfs::Peer peer;
  nfs::Credentials credentials;
  unsigned minor = 2;
  std::string tag = "t";
  nfs::SessionId session{};
  std::uint64_t client_id = 0;
  std::uint32_t slot_sequence = 0;
  bool cache_this = false;
  std::size_t most_data = SIZE_MAX;  ///< as the transport says when memory is short
  std::uint32_t max_request = 1 << 20, max_response = 1 << 20, max_cached = 4096, max_ops = 16;

  /// EXCHANGE_ID, CREATE_SESSION, RECLAIM_COMPLETE.
  void start_session(std::string_view owner = "client");
  /// SETCLIENTID and its confirmation; minor version 0 from then on.
  void start_4_0(std::string_view owner = "client");
  /// In the session, if there is one: its first result is SEQUENCE's.
  Nfs4Reply call(Nfs4Compound&& compound);
  Nfs4Reply call(Nfs4Compound& compound) { return call(std::move(compound)); }  ///< and empties it
  /// The last call's record once more, as a client that lost the answer sends it.
  Nfs4Reply again();
  /// As it is, without SEQUENCE.
  Nfs4Reply raw(Nfs4Compound&& compound);
  Nfs4Reply raw(Nfs4Compound& compound) { return raw(std::move(compound)); }
  Nfs4Reply send(std::string arguments);

 private:
  asio::io_context& x_io;
  nfs::Program& x_program;
  std::uint32_t x_xid = 100;
  std::string x_last;
};

}  // namespace outcrop::test
