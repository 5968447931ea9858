#include "tests/support/nfs4_client.h"

namespace outcrop::test {
namespace {

using nfs::XdrReader;
using nfs::XdrWriter;

/// Bytes of one attribute value in front of the reader.
std::string take_value(XdrReader& in, Attribute a) {
  XdrWriter copy;
  const auto words = [&](int n) {
    for (int i = 0; i < n; ++i) {
      copy.u32(in.u32());
    }
  };
  switch (a) {
    case Attribute::supported_attrs:
    case Attribute::suppattr_exclcreat:
      AttributeSet::read(in).write(copy);
      break;
    case Attribute::owner:
    case Attribute::owner_group:
    case Attribute::filehandle:
      copy.opaque(in.opaque(4096));
      break;
    case Attribute::fs_locations: {
      const std::uint32_t n = in.u32();
      copy.u32(n);
      for (std::uint32_t i = 0; i < n && in.ok(); ++i) {
        copy.opaque(in.opaque(4096));
      }
      copy.u32(in.u32());
      break;
    }
    case Attribute::fsid:
      words(4);
      break;
    case Attribute::time_access:
    case Attribute::time_create:
    case Attribute::time_delta:
    case Attribute::time_metadata:
    case Attribute::time_modify:
      words(3);
      break;
    case Attribute::change:
    case Attribute::size:
    case Attribute::fileid:
    case Attribute::files_avail:
    case Attribute::files_free:
    case Attribute::files_total:
    case Attribute::maxfilesize:
    case Attribute::maxread:
    case Attribute::maxwrite:
    case Attribute::rawdev:
    case Attribute::space_avail:
    case Attribute::space_free:
    case Attribute::space_total:
    case Attribute::quota_avail_hard:
    case Attribute::quota_avail_soft:
    case Attribute::quota_used:
    case Attribute::space_used:
    case Attribute::space_freed:
    case Attribute::mounted_on_fileid:
      words(2);
      break;
    default:
      words(1);
  }
  return copy.flatten();
}

std::map<Attribute, std::string> take_attributes(XdrReader& in, AttributeSet& set) {
  std::map<Attribute, std::string> out;
  set = AttributeSet::read(in);
  XdrReader values(in.opaque(1 << 20));
  for (unsigned n = 0; n < 96; ++n) {
    const auto a = static_cast<Attribute>(n);
    if (set.has(a)) {
      out[a] = take_value(values, a);
    }
  }
  if (!values.done()) {
    in.fail();
  }
  return out;
}

Stateid take_stateid(XdrReader& in) {
  Stateid id;
  id.seqid = in.u32();
  std::ranges::copy(in.fixed_opaque(12), id.other.begin());
  return id;
}

void take_numbers(XdrReader& in, Nfs4Result& r, std::string_view form) {
  for (const char c : form) {
    r.numbers.push_back(c == 'q' ? in.u64() : in.u32());
  }
}

void take_entries(XdrReader& in, Nfs4Result& r) {
  in.u64();
  while (in.boolean()) {
    const std::uint64_t cookie = in.u64();
    r.entries.emplace_back(in.string(1024), cookie);
    AttributeSet set;
    r.entry_values.push_back(take_attributes(in, set));
  }
  r.eof = in.boolean();
}

void take_list(XdrReader& in, Nfs4Result& r) {
  r.numbers.push_back(in.u64());
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    r.entries.emplace_back(in.string(1024), 0);
  }
  r.eof = in.boolean();
}

void take_open(XdrReader& in, Nfs4Result& r) {
  r.stateid = take_stateid(in);
  take_numbers(in, r, "iqqi");
  r.set = AttributeSet::read(in);
  r.numbers.push_back(in.u32());
  if (r.numbers.back() == 3) {
    const std::uint32_t why = in.u32();
    r.numbers.push_back(why);
    if (why == 1 || why == 2) {
      in.boolean();
    }
  }
}

void take_exchange(XdrReader& in, Nfs4Result& r) {
  take_numbers(in, r, "qiiiq");
  r.text = in.string(1024);
  in.string(1024);
  if (in.u32() == 1) {
    in.string(1024);
    in.string(1024);
    in.u64();
    in.u32();
  }
}

/// Results that are numbers alone: i is 32, q 64 bits.
std::string_view number_form(Op op) {
  switch (op) {
    case Op::access:
      return "ii";
    case Op::link:
    case Op::remove:
    case Op::setxattr:
    case Op::removexattr:
      return "iqq";
    case Op::rename:
      return "iqqiqq";
    case Op::write:
      return "iiq";
    case Op::commit:
      return "q";
    case Op::setclientid:
      return "qq";
    case Op::copy:
      return "iqiqii";
    default:
      return "";
  }
}

void take_session_body(XdrReader& in, Nfs4Result& r) {
  switch (static_cast<Op>(r.op)) {
    case Op::sequence:
      r.text = as_text(in.fixed_opaque(16));
      take_numbers(in, r, "iiiii");
      break;
    case Op::exchange_id:
      take_exchange(in, r);
      break;
    case Op::create_session:
      r.text = as_text(in.fixed_opaque(16));
      take_numbers(in, r, "iiiiiiiiiiiiiiii");
      break;
    case Op::bind_conn_to_session:
      r.text = as_text(in.fixed_opaque(16));
      take_numbers(in, r, "ii");
      break;
    default:
      take_numbers(in, r, number_form(static_cast<Op>(r.op)));
  }
}

void take_body(XdrReader& in, Nfs4Result& r) {
  switch (static_cast<Op>(r.op)) {
    case Op::getfh:
    case Op::readlink:
    case Op::getxattr:
      r.text = in.string(1 << 21);
      break;
    case Op::getattr:
      r.values = take_attributes(in, r.set);
      break;
    case Op::create:
      take_numbers(in, r, "iqq");
      r.set = AttributeSet::read(in);
      break;
    case Op::open:
      take_open(in, r);
      break;
    case Op::close:
    case Op::open_confirm:
    case Op::open_downgrade:
    case Op::lock:
    case Op::locku:
      r.stateid = take_stateid(in);
      break;
    case Op::read:
      r.eof = in.boolean();
      r.text = in.string(1 << 21);
      break;
    case Op::readdir:
      take_entries(in, r);
      break;
    case Op::listxattrs:
      take_list(in, r);
      break;
    case Op::secinfo:
    case Op::secinfo_no_name:
    case Op::test_stateid:
      for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
        r.numbers.push_back(in.u32());
      }
      break;
    case Op::seek:
      r.eof = in.boolean();
      r.numbers.push_back(in.u64());
      break;
    case Op::io_advise:
      r.set = AttributeSet::read(in);
      break;
    default:
      take_session_body(in, r);
  }
}

void take_error_body(XdrReader& in, Nfs4Result& r) {
  const auto op = static_cast<Op>(r.op);
  if ((op == Op::lock || op == Op::lockt) && r.status == Status::denied) {
    take_numbers(in, r, "qqiq");
    r.text = in.string(1024);
  } else if (op == Op::setclientid && r.status == Status::clid_inuse) {
    in.string(1024);
    in.string(1024);
  }
}

}  // namespace

bool parse_nfs4_reply(std::string record, Nfs4Reply& out) {
  out.raw = std::move(record);
  XdrReader in(as_bytes(out.raw));
  in.u32();
  if (in.u32() != 1 || in.u32() != 0) {  // a reply, accepted
    return false;
  }
  in.u32();
  in.opaque(400);
  out.accept = in.u32();
  out.answered = true;
  if (out.accept != 0) {
    return in.done();
  }
  out.status = static_cast<Status>(in.u32());
  out.tag = in.string(4096);
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    Nfs4Result r;
    r.op = in.u32();
    r.status = static_cast<Status>(in.u32());
    if (static_cast<Op>(r.op) == Op::setattr) {
      r.set = AttributeSet::read(in);
    } else if (r.status == Status::ok) {
      take_body(in, r);
    } else {
      take_error_body(in, r);
    }
    out.results.push_back(std::move(r));
  }
  return in.done();
}

std::uint32_t Nfs4Result::u32(Attribute a) const {
  const auto it = values.find(a);
  return it == values.end() ? UINT32_MAX : XdrReader(as_bytes(it->second)).u32();
}
std::uint64_t Nfs4Result::u64(Attribute a) const {
  const auto it = values.find(a);
  return it == values.end() ? UINT64_MAX : XdrReader(as_bytes(it->second)).u64();
}
std::string Nfs4Result::string(Attribute a) const {
  const auto it = values.find(a);
  return it == values.end() ? "(absent)"
                            : std::string(XdrReader(as_bytes(it->second)).string(4096));
}

const Nfs4Result& Nfs4Reply::find(Op number) const {
  for (const Nfs4Result& r : results) {
    if (r.op == static_cast<std::uint32_t>(number)) {
      return r;
    }
  }
  static const Nfs4Result kNone{.op = 0,
                                .status = Status::serverfault,
                                .text = {},
                                .stateid = {},
                                .set = {},
                                .values = {},
                                .numbers = {},
                                .entries = {},
                                .entry_values = {}};
  return kNone;
}

void Nfs4Client::start_session(std::string_view owner) {
  Nfs4Compound exchange;
  exchange.op(Op::exchange_id).out.u64(77);
  exchange.out.string(owner);
  exchange.out.u32(0);
  exchange.out.u32(0);
  exchange.out.u32(0);
  const Nfs4Reply id = raw(std::move(exchange));
  const std::vector<std::uint64_t>& got = id.find(Op::exchange_id).numbers;
  client_id = got.empty() ? 0 : got[0];
  Nfs4Compound create;
  create.op(Op::create_session).out.u64(client_id);
  create.out.u32(got.size() > 1 ? static_cast<std::uint32_t>(got[1]) : 0);
  create.out.u32(0);
  for (int channel = 0; channel < 2; ++channel) {
    for (const std::uint32_t v : {0U, max_request, max_response, max_cached, max_ops, 8U, 0U}) {
      create.out.u32(v);
    }
  }
  create.out.u32(0x40000000);
  create.out.u32(0);
  const Nfs4Reply made = raw(std::move(create));
  std::ranges::copy(as_bytes(made.find(Op::create_session).text), session.begin());
  slot_sequence = 0;
  Nfs4Compound complete;
  complete.op(Op::reclaim_complete).out.boolean(false);
  call(std::move(complete));
}

void Nfs4Client::start_4_0(std::string_view owner) {
  minor = 0;
  Nfs4Compound set;
  set.op(Op::setclientid).out.u64(77);
  set.out.string(owner);
  set.out.u32(0x40000000);
  set.out.string("tcp");
  set.out.string("10.0.0.1.8.1");
  set.out.u32(1);
  const Nfs4Reply id = raw(std::move(set));
  const std::vector<std::uint64_t>& got = id.find(Op::setclientid).numbers;
  client_id = got.empty() ? 0 : got[0];
  Nfs4Compound confirm;
  confirm.op(Op::setclientid_confirm).out.u64(client_id);
  confirm.out.u64(got.size() > 1 ? got[1] : 0);
  raw(std::move(confirm));
}

Nfs4Reply Nfs4Client::call(Nfs4Compound&& compound) {
  if (minor == 0) {
    return raw(std::move(compound));
  }
  Nfs4Compound all;
  all.op(Op::sequence).out.fixed_opaque(session);
  all.out.u32(++slot_sequence);
  all.out.u32(0);
  all.out.u32(0);
  all.out.boolean(cache_this);
  all.out.append(std::move(compound.out));
  all.count += compound.count;
  return raw(std::move(all));
}

Nfs4Reply Nfs4Client::raw(Nfs4Compound&& compound) {
  XdrWriter arguments;
  arguments.string(tag);
  arguments.u32(minor);
  arguments.u32(compound.count);
  arguments.append(std::move(compound.out));
  ++x_xid;
  return send(arguments.flatten());
}

Nfs4Reply Nfs4Client::again() { return send(x_last); }

Nfs4Reply Nfs4Client::send(std::string arguments) {
  x_last = arguments;
  nfs::RpcCall call;
  call.xid = x_xid;
  call.program = nfs::kProgramNfs;
  call.version = 4;
  call.procedure = 1;
  call.credentials = credentials;
  call.most_data = most_data;
  call.arguments = XdrReader(Buffer::copy_of(as_bytes(arguments)));
  XdrWriter reply;
  const auto serve = [](nfs::Program& program, const nfs::Peer& peer, nfs::RpcCall& c,
                        XdrWriter& out) -> Task<> {
    co_await program.call(peer, c, out);
    co_return ok();
  };
  const Result<void> served = run_on(x_io, serve(x_program, peer, call, reply));
  Nfs4Reply out;
  if (served && reply.size() > 0 && !parse_nfs4_reply(reply.flatten(), out)) {
    out.answered = false;
    out.accept = UINT32_MAX;
  }
  return out;
}

}  // namespace outcrop::test
