// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {AuthorityFace, CreditsFace, MembershipsFace, OrganisationsFace, ProgrammesFace} from "./Faces.sol";
import {Handler} from "./Handler.sol";
import {Cheats} from "./Vm.sol";

/// @title What holds after any commands in any order
contract InvariantsTest is Cheats {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private handler;
    AuthorityFace private authority;
    ProgrammesFace private programmes;
    OrganisationsFace private organisations;
    MembershipsFace private memberships;
    CreditsFace private credits;

    function setUp() public {
        handler = new Handler();
        (authority, programmes, organisations, memberships, credits) = handler.targets();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](13);
        selectors[0] = handler.award.selector;
        selectors[1] = handler.award.selector;
        selectors[2] = handler.award.selector;
        selectors[3] = handler.reverse.selector;
        selectors[4] = handler.reverse.selector;
        selectors[5] = handler.changeMembership.selector;
        selectors[6] = handler.moveToken.selector;
        selectors[7] = handler.register.selector;
        selectors[8] = handler.setLimits.selector;
        selectors[9] = handler.setCategory.selector;
        selectors[10] = handler.setPause.selector;
        selectors[11] = handler.setIssuer.selector;
        selectors[12] = handler.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// @dev The handler's commands are mostly such as the ledger does: else nothing here would say much.
    function test_handler__many_commands__are_done() public {
        for (uint256 i = 0; i < 200; ++i) {
            uint256 random = uint256(keccak256(abi.encode(i)));
            handler.award(random, i, i % 2 == 0, i % 3 == 0);
            handler.reverse(random, i % 2, i % 4 != 0);
            handler.changeMembership(random, uint8(random >> 8), uint32(random >> 16), i % 2 == 0);
            if (i % 8 == 0) {
                handler.setLimits(random, uint64(random), uint64(random >> 64), uint64(random >> 128));
                handler.setCategory(uint8(random), i % 16 == 0);
                handler.setPause(uint8(i / 8));
                handler.setIssuer(i % 16 == 0);
                handler.register(random);
                handler.wait(random);
            }
        }
        vm.assertGe(int256(handler.done(credits.award.selector)), 50, "awards");
        vm.assertGe(int256(handler.done(credits.reverse.selector)), 30, "reversals");
        vm.assertGe(int256(handler.done(memberships.admit.selector)), 5, "admissions");
        vm.assertGe(int256(handler.done(memberships.revoke.selector)), 5, "revocations");
        vm.assertGe(int256(handler.done(programmes.setBudget.selector)), 5, "budgets");
        vm.assertGe(int256(handler.done(authority.pause.selector)), 2, "pauses");
        invariant_books_agree();
    }

    /// @dev One for all, since each would go through the commands anew.
    function invariant_books_agree() public view {
        _assertHeads();
        _assertBalances();
        _assertReversedOnce();
        _assertBudgets();
        _assertTokens();
    }

    /// @dev Each contract's head and sequence are those that follow from its logs.
    function _assertHeads() private view {
        address[5] memory all = [
            address(authority), address(programmes), address(organisations), address(memberships), address(credits)
        ];
        for (uint256 i = 0; i < 5; ++i) {
            vm.assertEq(IJournal(all[i]).head(), handler.heads(all[i]), "head");
            vm.assertEq(IJournal(all[i]).sequence(), handler.sequences(all[i]), "sequence");
        }
        vm.assertEq(credits.sequence(), handler.entries(), "entries");
    }

    /// @dev The sum of balances is the sum of entries, and what is outstanding.
    function _assertBalances() private view {
        for (uint16 programmeId = 1; programmeId <= 2; ++programmeId) {
            int256 sum = 0;
            for (uint32 orgId = 0; orgId <= 13; ++orgId) {
                int64 balance = credits.balanceOf(programmeId, orgId);
                vm.assertEq(balance, handler.balances(programmeId, orgId), "balance");
                vm.assertGe(balance, 0, "nothing spends yet, so nothing is below zero");
                sum += balance;
            }
            vm.assertEq(sum, credits.outstanding(programmeId), "sum of balances");
            vm.assertEq(sum, handler.outstanding(programmeId), "awards less reversals");
        }
    }

    function _assertReversedOnce() private view {
        uint64 last = handler.entries();
        for (uint64 entryId = 1; entryId <= last; ++entryId) {
            uint64[] memory reversals = handler.reversalsOf(entryId);
            vm.assertLe(reversals.length, 1, "reversals");
            vm.assertEq(handler.reversedBy(entryId), reversals.length == 0 ? 0 : reversals[0], "reversed by");
        }
    }

    /// @dev What an issuer is recorded to have spent is what its awards add up to, in each epoch.
    function _assertBudgets() private view {
        address issuer = handler.officer();
        for (uint16 programmeId = 1; programmeId <= 2; ++programmeId) {
            for (uint32 epoch = 0; epoch <= 4; ++epoch) {
                vm.assertEq(
                    credits.spent(programmeId, epoch, issuer), handler.spent(programmeId, epoch, issuer), "spent"
                );
            }
        }
    }

    /// @dev A token is its organisation's controller's while there is a membership, and else nobody's.
    function _assertTokens() private view {
        uint32 last = organisations.organisationCount();
        for (uint16 programmeId = 1; programmeId <= 2; ++programmeId) {
            for (uint32 orgId = 1; orgId <= last; ++orgId) {
                IMemberships.Status status = memberships.membership(programmeId, orgId).status;
                bool member = status == IMemberships.Status.Active || status == IMemberships.Status.Suspended;
                try memberships.ownerOf(uint256(programmeId) << 32 | orgId) returns (address owner) {
                    vm.assertTrue(member, "a token of no member");
                    vm.assertEq(owner, organisations.controllerOf(orgId), "owner");
                } catch {
                    vm.assertFalse(member, "a member without a token");
                }
            }
        }
    }
}
