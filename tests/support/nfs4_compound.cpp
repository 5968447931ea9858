#include "tests/support/nfs4_client.h"

namespace outcrop::test {

Nfs4Attributes& Nfs4Attributes::u32(Attribute a, std::uint32_t v) {
  given.add(a);
  values.u32(v);
  return *this;
}
Nfs4Attributes& Nfs4Attributes::u64(Attribute a, std::uint64_t v) {
  given.add(a);
  values.u64(v);
  return *this;
}
Nfs4Attributes& Nfs4Attributes::text(Attribute a, std::string_view v) {
  given.add(a);
  values.string(v);
  return *this;
}
Nfs4Attributes& Nfs4Attributes::time(Attribute a, std::optional<std::int64_t> seconds) {
  given.add(a);
  values.u32(seconds ? 1 : 0);
  if (seconds) {
    values.i64(*seconds);
    values.u32(0);
  }
  return *this;
}

Nfs4Compound& Nfs4Compound::put(const Stateid& id) {
  out.u32(id.seqid);
  out.fixed_opaque(id.other);
  return *this;
}

Nfs4Compound& Nfs4Compound::put(Nfs4Attributes attributes) {
  attributes.given.write(out);
  out.string(attributes.values.flatten());
  return *this;
}

Nfs4Compound& Nfs4Compound::walk(std::string_view path) {
  putrootfh();
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) {
      lookup(path.substr(0, end));
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return *this;
}

Nfs4Compound& Nfs4Compound::getattr(AttributeSet wanted) {
  op(Op::getattr);
  wanted.write(out);
  return *this;
}

Nfs4Compound& Nfs4Compound::setattr(const Stateid& id, Nfs4Attributes attributes) {
  return with(Op::setattr, id).put(std::move(attributes));
}

Nfs4Compound& Nfs4Compound::verify(Op number, Nfs4Attributes attributes) {
  return op(number).put(std::move(attributes));
}

Nfs4Compound& Nfs4Compound::mkdir(std::string_view name, Nfs4Attributes attributes) {
  op(Op::create).out.u32(2);
  out.string(name);
  return put(std::move(attributes));
}

Nfs4Compound& Nfs4Compound::symlink(std::string_view name, std::string_view target) {
  op(Op::create).out.u32(5);
  out.string(target);
  out.string(name);
  return put(Nfs4Attributes());
}

Nfs4Compound& Nfs4Compound::rename(std::string_view from, std::string_view to) {
  named(Op::rename, from).out.string(to);
  return *this;
}

Nfs4Compound& Nfs4Compound::open(std::string_view name, Nfs4OpenHow how) {
  op(Op::open).out.u32(how.seqid);
  out.u32(how.access);
  out.u32(how.deny);
  out.u64(how.client);
  out.string(how.owner);
  out.u32(how.create ? 1 : 0);
  if (how.create) {
    out.u32(*how.create);
    if (*how.create >= 2) {
      out.u64(how.verifier);
    }
    if (*how.create != 2) {
      put(std::move(how.attributes));
    }
  }
  out.u32(how.claim);
  if (how.claim == 0) {
    out.string(name);
  } else if (how.claim == 1) {
    out.u32(0);
  }
  return *this;
}

Nfs4Compound& Nfs4Compound::close(const Stateid& id, std::uint32_t seqid) {
  op(Op::close).out.u32(seqid);
  return put(id);
}

Nfs4Compound& Nfs4Compound::read(const Stateid& id, std::uint64_t offset, std::uint32_t length) {
  with(Op::read, id).out.u64(offset);
  out.u32(length);
  return *this;
}

Nfs4Compound& Nfs4Compound::write(const Stateid& id,
                                  std::uint64_t offset,
                                  std::string_view data,
                                  std::uint32_t stable) {
  with(Op::write, id).out.u64(offset);
  out.u32(stable);
  out.string(data);
  return *this;
}

Nfs4Compound& Nfs4Compound::readdir(std::uint64_t cookie,
                                    AttributeSet wanted,
                                    std::uint32_t dircount,
                                    std::uint32_t maxcount,
                                    std::uint64_t verifier) {
  op(Op::readdir).out.u64(cookie);
  out.u64(verifier);
  out.u32(dircount);
  out.u32(maxcount);
  wanted.write(out);
  return *this;
}

Nfs4Compound& Nfs4Compound::lock(std::uint32_t type,
                                 std::uint64_t offset,
                                 std::uint64_t length,
                                 const Stateid& open,
                                 std::string_view owner,
                                 std::uint64_t client,
                                 std::uint32_t open_seqid,
                                 std::uint32_t lock_seqid) {
  op(Op::lock).out.u32(type);
  out.boolean(false);
  out.u64(offset);
  out.u64(length);
  out.boolean(true);
  out.u32(open_seqid);
  put(open);
  out.u32(lock_seqid);
  out.u64(client);
  out.string(owner);
  return *this;
}

Nfs4Compound& Nfs4Compound::copy_range(Op number,
                                       const Stateid& from,
                                       const Stateid& to,
                                       std::uint64_t from_offset,
                                       std::uint64_t to_offset,
                                       std::uint64_t length) {
  with(number, from).put(to);
  out.u64(from_offset);
  out.u64(to_offset);
  out.u64(length);
  if (number == Op::copy) {
    out.boolean(true);
    out.boolean(true);
    out.u32(0);
  }
  return *this;
}

}  // namespace outcrop::test
