/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ballast.h: everything, in reading order.
 *
 *   status  log  rng  config  json      what all parts use
 *   data  sampler                       images, long tails, orders
 *   model  eval                         networks, inference, errors
 *   train                               methods and the trainer
 *   plot                                pictures of what it left
 *   study                               grids of runs and their tables
 *
 * examples/ holds whole programs of under a hundred lines.
 */
#ifndef BALLAST_BALLAST_H
#define BALLAST_BALLAST_H

#include "ballast/config.h"
#include "ballast/data.h"
#include "ballast/eval.h"
#include "ballast/json.h"
#include "ballast/log.h"
#include "ballast/model.h"
#include "ballast/plot.h"
#include "ballast/rng.h"
#include "ballast/sampler.h"
#include "ballast/status.h"
#include "ballast/study.h"
#include "ballast/train.h"

#endif
