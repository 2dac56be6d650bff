# The driver that opendmarc-import asks for; DBI.pm beside it does all.
package DBD::mysql;

1;
