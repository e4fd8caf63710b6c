/* device_text.h - what is known of a device, as text and as JSON. */
#ifndef CORVID_CLI_DEVICE_TEXT_H
#define CORVID_CLI_DEVICE_TEXT_H

#include <jansson.h>

#include "corvid.h"

/* Lines that begin with three spaces: runtime, backend, features, matrix shapes, limits. opened: the device was opened,
 * so that its subgroup size was measured. */
void device_print(const corvid_device_info *d, bool opened);

/* The same facts; subgroup_size and the features as used are there only if opened. */
json_t *device_json(const corvid_device_info *d, bool opened);

#endif
