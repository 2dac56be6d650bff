# A database that keeps nothing and prints what it is given, for opendmarc-import.
package DBI;
use strict;
use warnings;

our $errstr = '';

sub connect { return bless {}, 'DBI' }
sub disconnect { return 1 }
sub errstr { return '' }

sub prepare {
    my ($self, $query) = @_;
    $query =~ s/\s+/ /g;
    return bless { query => $query, rows => 0 }, 'DBI::Statement';
}

package DBI::Statement;

sub execute {
    my ($self, @values) = @_;
    $self->{rows} = 1;
    my ($what) = $self->{query} =~ /^ ?(INSERT INTO messages|INSERT INTO signatures|UPDATE requests)/;
    print "$what: ", join(' ', map { defined $_ ? "<$_>" : '<>' } @values), "\n" if $what;
    return 1;
}

# Whatever is asked for has the number 7.
sub fetchrow_arrayref {
    my ($self) = @_;
    return $self->{rows}-- > 0 ? [7] : undef;
}

sub finish { return 1 }
sub errstr { return '' }

1;
