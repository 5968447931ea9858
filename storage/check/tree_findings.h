// Turns what check_tree says into findings: which object it is about, what it means, what to do.
#pragma once
#include "storage/check/report.h"
#include "storage/ns/check.h"

namespace outcrop::check {

Task<> report_tree(const ns::TreeReport& tree, meta::MetaStore& meta, Report& report);

}  // namespace outcrop::check
