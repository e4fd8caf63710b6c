/* commands.h - the commands of `corvid`. Each takes its own arguments (argv[0] is its name) and returns an exit
 * code. */
#ifndef CORVID_CLI_COMMANDS_H
#define CORVID_CLI_COMMANDS_H

int command_run(int argc, char **argv);
int command_chat(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_devices(int argc, char **argv);
int command_doctor(int argc, char **argv);
int command_tune(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_quantize(int argc, char **argv);
int command_tokenize(int argc, char **argv);

#endif
