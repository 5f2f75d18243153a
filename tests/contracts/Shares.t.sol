// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {Keys} from "../../contracts/Keys.sol";
import {Pools} from "./Pools.sol";

/// @title Distributions posted and withdrawn. Claims are in SharesClaim.t.sol
contract SharesTest is Pools {
    uint64 private constant MOST = 2 ** 53 - 1;

    // --- post

    function test_post__by_officers__obeys_the_rules_of_commands() public {
        vm.warp(EPOCH_END);
        _assertCommand(Command(address(shares), _writePost, COUNCIL_ROLE, 0, FIRST));
    }

    function test_post__a_distribution__is_journaled_with_every_field() public {
        vm.warp(EPOCH_END);
        _watch(address(shares));
        vm.prank(council);
        uint32 distributionId = shares.post(_terms(), EVIDENCE, OPERATION);
        bytes memory line = bytes.concat(
            abi.encode(IShares.SharesPosted.selector, _number(1), FIRST, distributionId, EPOCH, POOL, UNIT, RULE),
            abi.encode(nodes[0], FROM, UNTIL, EVIDENCE, council, OPERATION)
        );
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertEq(distributionId, 2, "id");
        vm.assertEq(shares.distributionCount(), 2, "count");
        IShares.DistributionState memory found = shares.distribution(2);
        vm.assertEq(abi.encode(found.distribution), abi.encode(_terms()), "terms");
        vm.assertEq(found.claimed, 0, "claimed");
        vm.assertFalse(found.withdrawn, "withdrawn");
    }

    function test_post__in_several_programmes__numbers_them_over_all() public {
        IShares.Distribution memory terms = _terms();
        terms.programmeId = SECOND;
        vm.assertEq(_post(terms), 2, "second");
        vm.assertEq(_post(_terms()), 3, "third");
        vm.assertEq(shares.distribution(2).distribution.programmeId, SECOND, "programme of the second");
        vm.assertEq(shares.distribution(3).distribution.programmeId, FIRST, "programme of the third");
    }

    function test_post__unknown_programme__is_refused() public {
        uint16[2] memory unknown = [uint16(0), 3];
        for (uint256 i = 0; i < 2; ++i) {
            IShares.Distribution memory terms = _terms();
            terms.programmeId = unknown[i];
            _refusedPost(terms, abi.encodeWithSelector(IProgrammes.ProgrammesUnknown.selector, unknown[i]));
        }
    }

    /// @dev The stage's epochs end 30, 60 and 90 days after its beginning; a fourth has no end yet.
    function test_post__epoch_not_over__is_refused_up_to_its_last_second() public {
        vm.warp(EPOCH_END - 1);
        _epochRefused(1);
        vm.warp(EPOCH_END);
        _epoch(1);
        _epochRefused(0);
        _epochRefused(2);
        vm.warp(EPOCH_END + 30 days - 1);
        _epochRefused(2);
        vm.warp(EPOCH_END + 30 days);
        _epoch(2);
        vm.warp(EPOCH_END + 1000 days);
        IShares.Distribution memory terms = _terms();
        (terms.epoch, terms.claimableFrom) = (3, EPOCH_END + 1001 days);
        terms.claimableUntil = EPOCH_END + 1002 days;
        _post(terms);
        _epochRefused(4);
        _epochRefused(5);
        _epochRefused(type(uint32).max);
    }

    function test_post__pool_at_its_edges__is_taken_or_refused() public {
        uint64[4] memory pools = [uint64(1), MOST, 0, MOST + 1];
        vm.warp(EPOCH_END);
        for (uint256 i = 0; i < 4; ++i) {
            IShares.Distribution memory terms = _terms();
            terms.pool = pools[i];
            bytes memory failure = abi.encodeWithSelector(IShares.SharesPoolUnusable.selector, pools[i]);
            _refusedPost(terms, i < 2 ? bytes("") : failure);
            if (i < 2) {
                vm.assertEq(shares.distribution(shares.distributionCount()).distribution.pool, pools[i], "pool");
            }
        }
    }

    function test_post__malformed_unit_no_rule_or_no_root__is_refused() public {
        IShares.Distribution memory terms = _terms();
        terms.unit = "Slots";
        _refusedPost(terms, abi.encodeWithSelector(Keys.KeysMalformed.selector, bytes32("Slots")));
        terms.unit = 0;
        _refusedPost(terms, abi.encodeWithSelector(Keys.KeysMalformed.selector, bytes32(0)));
        terms = _terms();
        terms.rule = 0;
        _refusedPost(terms, abi.encodePacked(IShares.SharesRuleMissing.selector));
        terms = _terms();
        terms.root = 0;
        _refusedPost(terms, abi.encodePacked(IShares.SharesRootMissing.selector));
    }

    function test_post__window_at_its_edges__is_taken_or_refused() public {
        _window(FROM + 1 days, FROM + 1 days + 1, true); // as soon as can be, for one second
        _window(LAST_TIME - 1, LAST_TIME, true);
        _window(UNTIL, UNTIL, false);
        _window(UNTIL, UNTIL - 1, false);
        _window(UNTIL, FROM, false); // now
        _window(UNTIL, 0, false);
        _window(UNTIL, LAST_TIME + 1, false);
        _window(UNTIL, type(uint40).max, false);
        _window(type(uint40).max, type(uint40).max, false);
    }

    /// @dev Everybody has a day at least to recompute the shares.
    function test_post__claimable_before_it_can_be_checked__is_refused() public {
        vm.assertEq(shares.MIN_CHECKING_TIME(), 1 days, "least");
        uint40[4] memory times = [FROM + 1 days - 1, FROM, FROM - 1, 0];
        for (uint256 i = 0; i < 4; ++i) {
            IShares.Distribution memory terms = _terms();
            terms.claimableFrom = times[i];
            _refusedPost(
                terms, abi.encodeWithSelector(IShares.SharesClaimsTooSoon.selector, times[i], FROM + 1 days)
            );
        }
        IShares.Distribution memory inTime = _terms();
        inTime.claimableFrom = FROM + 1 days;
        _refusedPost(inTime, "");
        bytes memory early = abi.encodeWithSelector(IShares.SharesClaimsNotOpen.selector, 2, FROM + 1 days, UNTIL);
        vm.warp(FROM + 1 days - 1);
        _claimed(_controller(3), 2, 3, _amount(3), _proofOf(3), early);
        vm.warp(FROM + 1 days);
        _claimed(_controller(3), 2, 3, _amount(3), _proofOf(3), "");
    }

    // --- withdraw

    function test_withdraw__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(shares), _writeWithdraw, COUNCIL_ROLE, 0, FIRST));
    }

    function test_withdraw__before_anybody_claimed__is_journaled_and_ends_claims() public {
        uint32 other = _post(_terms());
        _watch(address(shares));
        vm.prank(council);
        shares.withdraw(posted, EVIDENCE, OPERATION);
        bytes memory line =
            abi.encode(IShares.SharesWithdrawn.selector, _number(1), FIRST, posted, EVIDENCE, council, OPERATION);
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertTrue(shares.distribution(posted).withdrawn, "withdrawn");
        vm.assertFalse(shares.distribution(other).withdrawn, "another");
        _refused(3, _withdrawn(posted));
        _claimed(_controller(3), other, 3, _amount(3), _proofOf(3), "");
        bytes memory again = abi.encodeCall(shares.withdraw, (posted, EVIDENCE, _operation()));
        _send(address(shares), council, again, _withdrawn(posted));
    }

    /// @dev What was claimed stands, and nothing more is claimed: a wrong root is stopped, however late.
    function test_withdraw__after_a_claim__ends_claims_and_takes_nothing_back() public {
        _claim(3);
        _watch(address(shares));
        vm.prank(council);
        shares.withdraw(posted, EVIDENCE, OPERATION);
        _assertLine(
            abi.encode(IShares.SharesWithdrawn.selector, _number(1), FIRST, posted, EVIDENCE, council, OPERATION)
        );
        IShares.DistributionState memory found = shares.distribution(posted);
        vm.assertTrue(found.withdrawn, "withdrawn");
        vm.assertEq(found.claimed, _amount(3), "claimed, as before");
        vm.assertTrue(shares.isClaimed(posted, 3), "its bit, as before");
        _refused(2, _withdrawn(posted));
        _refused(3, _withdrawn(posted));
        bytes memory again = abi.encodeCall(shares.withdraw, (posted, EVIDENCE, _operation()));
        _send(address(shares), council, again, _withdrawn(posted));
        // What takes its place leaves out what stands: here, all but organisation 3's share.
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (_leaf(FIRST, EPOCH, 1, 100), _leaf(FIRST, EPOCH, 2, 200));
        nodes = _tree(leaves);
        uint32 other = _post(_terms());
        _claimed(_controller(2), other, 2, 200, _proofOf(2), "");
        _claimed(_controller(3), other, 3, 300, new bytes32[](1), _invalidProof(other, 3, 300));
    }

    function test_withdraw__after_all_claims__is_done() public {
        for (uint32 orgId = 1; orgId <= MEMBERS; ++orgId) {
            _claim(orgId);
        }
        _withdraw(posted);
        vm.assertEq(shares.distribution(posted).claimed, POOL, "claimed");
    }

    /// @dev Whoever gains by a wrong tree cannot claim before others have had time to look at it.
    function test_withdraw__between_posting_and_claims__cannot_be_outrun() public {
        vm.warp(FROM - 1);
        bytes memory early = abi.encodeWithSelector(IShares.SharesClaimsNotOpen.selector, posted, FROM, UNTIL);
        _refused(3, early);
        _withdraw(posted);
        vm.warp(FROM);
        _refused(3, _withdrawn(posted));
    }

    function test_withdraw__after_the_window__is_done() public {
        vm.warp(UNTIL + 1);
        _withdraw(posted);
        vm.assertTrue(shares.distribution(posted).withdrawn, "withdrawn");
    }

    function test_withdraw__unknown__is_refused() public {
        uint32[3] memory unknown = [uint32(0), 2, type(uint32).max];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory data = abi.encodeCall(shares.withdraw, (unknown[i], EVIDENCE, _operation()));
            _send(address(shares), council, data, _unknown(unknown[i]));
        }
    }

    // --- views

    function test_views__unknown__say_so() public {
        vm.expectRevert(_unknown(0));
        shares.distribution(0);
        vm.expectRevert(_unknown(2));
        shares.distribution(2);
        vm.assertFalse(shares.isClaimed(2, 1), "claimed of an unknown one");
    }

    function test_views__contracts_and_domain__are_those_it_was_given() public view {
        vm.assertEq(shares.authority(), address(authority), "authority");
        vm.assertEq(shares.programmes(), address(programmes), "programmes");
        vm.assertEq(shares.organisations(), address(organisations), "organisations");
        vm.assertEq(shares.MAX_POOL(), MOST, "largest pool");
        (, string memory name, string memory version,, address contract_,,) = shares.eip712Domain();
        vm.assertEq(name, "Moonlake Shares", "name");
        vm.assertEq(version, "1", "version");
        vm.assertEq(contract_, address(shares), "contract");
    }

    function _writePost(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(shares.post, (_terms(), EVIDENCE, operationId));
    }

    function _writeWithdraw(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(shares.withdraw, (posted, EVIDENCE, operationId));
    }

    function _refusedPost(IShares.Distribution memory terms, bytes memory failure) private {
        bytes memory data = abi.encodeCall(shares.post, (terms, EVIDENCE, _operation()));
        _send(address(shares), council, data, failure);
    }

    function _epoch(uint32 epoch) private {
        IShares.Distribution memory terms = _terms();
        (terms.epoch, terms.claimableFrom) = (epoch, uint40(block.timestamp + 1 days));
        vm.assertEq(shares.distribution(_post(terms)).distribution.epoch, epoch, "epoch");
    }

    function _epochRefused(uint32 epoch) private {
        IShares.Distribution memory terms = _terms();
        (terms.epoch, terms.claimableUntil) = (epoch, LAST_TIME);
        _refusedPost(terms, abi.encodeWithSelector(IShares.SharesEpochNotOver.selector, FIRST, epoch));
    }

    function _window(uint40 from, uint40 until, bool usable) private {
        IShares.Distribution memory terms = _terms();
        (terms.claimableFrom, terms.claimableUntil) = (from, until);
        bytes memory failure = abi.encodeWithSelector(IShares.SharesClaimWindowUnusable.selector, from, until);
        _refusedPost(terms, usable ? bytes("") : failure);
    }
}
